"""The tables of a matrix, for the terminal and as Markdown."""

from rich.table import Table
from rich.text import Text

from tinycerb.reports.facts import cycles_text
from tinycerb.reports.matrix.results import Interval, Results, ThreatVerdict
from tinycerb.reports.plain_text import clean, markdown

Lines = tuple[str, list[str], list[list[str]]]


def as_text(results: Results) -> list[Table | Text]:
    """Returns the tables for a terminal, and below them what must be said."""
    parts: list[Table | Text] = []
    results = clean(results)
    for title, header, rows in _tables(results):
        table = Table(title=Text(title))
        for index, column in enumerate(header):
            table.add_column(Text(column), justify="left" if index == 0 else "right", overflow="fold")
        for row in rows:
            table.add_row(*map(Text, row))
        parts.append(table)
    parts += [Text(f"- {note}") for note in notes(results)]
    return parts


def as_markdown(results: Results) -> str:
    """Returns `results.md`."""
    results = clean(results, markdown)
    lines = [f"# {results['name']}: defences against attacks", ""]
    for title, header, rows in _tables(results):
        rule = ["---", *["---:"] * (len(header) - 1)]
        lines += [f"## {title}", "", *(f"| {' | '.join(row)} |" for row in [header, rule, *rows]), ""]
    return "\n".join([*lines, *(f"- {note}" for note in notes(results)), ""])


def _tables(results: Results) -> list[Lines]:
    tables = [_victims(results)]
    for threat, verdict in results["threats"].items():
        tables += [_worst(results, threat, verdict), _heat(results, threat, verdict)]
    return [*tables, _reference(results)]


def _victims(results: Results) -> Lines:
    header = [
        "victim", "response", "heads", "accuracy", "loss, points", "worst head", "flips", "flash, bytes",
        "arena, bytes", "instructions", "cycles, estimate (band)",
    ]  # fmt: skip
    rows = []
    for name, victim in results["victims"].items():
        if victim["accuracy"] is None:
            rows.append([name, victim["response"], *["not measured"] * 9])
            continue
        device = victim["device"] or {}
        rows.append(
            [
                name,
                victim["response"],
                str(victim["heads"]),
                _share(victim["accuracy"]),
                _points(victim["utility_loss"]),
                _plain(victim["accuracy_worst_head"], ".1%"),
                _plain(victim["flip_rate"], ".1%"),
                _count(victim["flash_bytes"]),
                _count(victim["arena_bytes"]),
                _count(device.get("instructions_per_inference")),
                cycles_text(victim["device"]),
            ]
        )
    return "victims: what they do and cost", header, rows


def _worst(results: Results, threat: str, verdict: ThreatVerdict) -> Lines:
    header = ["victim", "stolen, worst case", "points to baseline", "broken by", "agreement", "KL", "L1", "area"]
    rows = []
    for name, case in verdict["victims"].items():
        if case is None:
            rows.append([name, *["no cells"] * (len(header) - 1)])
            continue
        by = case["broken_by"]
        curve = case["by_attack"].get(by["attack"], {})
        difference = _points(case["difference_to_baseline"]) if name != results["baseline"] else "-"
        rows.append(
            [
                name,
                _share(case["stolen_accuracy"]),
                difference if case["conclusive"] else "inconclusive",
                f"{by['attack']}, {by['student']}{', mean head' if by['selection'] == 'mean' else ''}",
                _plain(case["agreement_with_victim"], ".1%"),
                _plain(case["kl_to_victim"], ".2f"),
                _plain(case["l1_to_victim"], ".2f"),
                _plain(curve.get("area_over_log_calls"), ".3f"),
            ]
        )
    return f"{threat}: {verdict['meaning']}", header, rows


def _heat(results: Results, threat: str, verdict: ThreatVerdict) -> Lines:
    header = ["victim", *(f"{attack['attack']}{'' if attack['valid'] else ' *'}" for attack in verdict["attacks"])]
    rows = []
    for name, case in verdict["victims"].items():
        each = case["by_attack"] if case else {}
        found = [each.get(attack["attack"]) for attack in verdict["attacks"]]
        rows.append([name, *(f"{one['stolen_accuracy']['mean']:.1%}" if one else "-" for one in found)])
    return f"{threat}: best clone by attack (* not valid)", header, rows


def _reference(results: Results) -> Lines:
    rows = [
        [
            row["row"],
            _plain(row["accuracy"], ".1%"),
            _plain(row["stolen"].get("T1"), ".1%"),
            _plain(row["stolen"].get("T2"), ".1%"),
            row["what"],
        ]
        for row in results["reference_rows"]
    ]
    return "reference rows", ["row", "accuracy", "stolen T1", "stolen T2", "what"], rows


def notes(results: Results) -> list[str]:
    """Returns what a reader must know beside the tables."""
    found = [
        f"{results['cells_done']} of {results['cells_in_all']} cells; victim seeds "
        f"{', '.join(map(str, results['victim_seeds']))}; attacker seeds "
        f"{', '.join(map(str, results['attacker_seeds'])) or 'none'}.",
    ]
    bases = {
        case["stolen_accuracy"]["basis"] for v in results["threats"].values() for case in v["victims"].values() if case
    }
    found += [f"95 % intervals of stolen accuracy: {basis}." for basis in sorted(bases)]
    for threat, verdict in results["threats"].items():
        for attack in verdict["attacks"]:
            reached = attack["baseline_clone_accuracy"]
            told = "no clone of the baseline" if reached is None else f"clone of {results['baseline']} {reached:.1%}"
            found.append(
                f"{threat}, {attack['attack']}: {'valid' if attack['valid'] else 'not valid'} "
                f"({told}, bar {verdict['bar']:.1%})."
            )
        if not verdict["conclusive"]:
            found.append(f"{threat} is inconclusive: no valid attack, so no protection is claimed.")
    # Results of before do not say it.
    found += results.get("scaled_down", [])
    found += [f"Left out: {each['attack']}, budget {each['budget']}: {each['reason']}" for each in results["skipped"]]
    found += [f"Failed: {failure}" for failure in results["failures"]]
    if all(victim["device"] is None for victim in results["victims"].values()):
        found.append("Instructions were not measured; `tinycerb bench cost RUN` measures them.")
    found.append("Worst case is the best of these attacks; others may do better. Host latency ranks nothing here.")
    return found


def _share(estimate: Interval) -> str:
    return f"{estimate['mean']:.1%} [{100 * estimate['low']:.1f}, {100 * estimate['high']:.1f}]"


def _points(estimate: Interval | None) -> str:
    if estimate is None:
        return "-"
    return f"{100 * estimate['mean']:+.1f} [{100 * estimate['low']:+.1f}, {100 * estimate['high']:+.1f}]"


def _plain(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _count(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"
