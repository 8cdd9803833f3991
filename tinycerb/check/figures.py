"""The figures of a run, computed again from its cells and measurements, and its pages, rendered again from these."""

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import cast

from tinycerb import file_names
from tinycerb.bench.metrics import build_metrics
from tinycerb.bench.report_pages import render_report
from tinycerb.check.files import Finding, Found
from tinycerb.errors import TinyCerbError
from tinycerb.matrix.results import build_results
from tinycerb.matrix.work import finished_cells, lay_out
from tinycerb.reports.matrix.charts import draw_charts
from tinycerb.reports.matrix.results import Results
from tinycerb.reports.matrix.tables import as_markdown
from tinycerb.reports.metrics import Metrics
from tinycerb.reports.model_card import render_model_card
from tinycerb.run.directory import RunDirectory
from tinycerb.seal.files import manifest_of, read_bytes, read_json
from tinycerb.seal.versions import versions_now

_MOST_SHOWN = 5


def check_metrics(run: RunDirectory) -> Found:
    """Computes `metrics.json` again and renders report and model card anew."""
    if not run.metrics.is_file():
        return [], [f"{run.path} is not benched: it has no metrics.json"]
    try:
        found = read_json(run.metrics)
        expected = build_metrics(run)
    except (TinyCerbError, KeyError, TypeError) as error:
        return [Finding(str(run.metrics), f"cannot be computed again: {_say(error)}")], []
    if run.metrics.name in run.adopted_files():
        # It is older than the seal, which is noted in newer ones.
        differences = _compare(run.metrics, {**found, "not_measured": []}, {**expected, "not_measured": []})
    else:
        differences = _compare(run.metrics, found, expected)
    notes = [] if differences else [f"{run.metrics}: computed again, the same"]
    shown = cast(Metrics, read_json(run.metrics))
    pages = {
        run.report: lambda: render_report(shown),
        run.path / file_names.MODEL_CARD: lambda: _text(render_model_card(shown)),
    }
    for path, render in pages.items():
        faults, said = _check_page(path, render, run.metrics)
        differences += faults
        notes += said
    return differences, notes


def check_results(runs: Sequence[RunDirectory]) -> Found:
    """Computes a matrix's `results.json` again, and its tables and plots anew."""
    path = runs[0].path / file_names.RESULTS
    if not path.is_file():
        return [], []
    try:
        found = read_json(path)
        matrix = lay_out(runs, [])
        finished = finished_cells(matrix)
        # Which cells failed cannot be seen in those that did not.
        expected = build_results(runs, matrix.cells, finished, matrix.skipped, found.get("failures", []))
    except (TinyCerbError, KeyError, TypeError) as error:
        return [Finding(str(path), f"cannot be computed again: {_say(error)}")], []
    differences = _compare(path, found, expected)
    notes = [] if differences else [f"{path}: computed again, the same"]
    shown = cast(Results, found)
    plots = draw_charts(shown)
    pages = {path.with_name(file_names.RESULTS_PAGE): lambda: _text(as_markdown(shown))}
    pages |= {path.parent / "plots" / name: (lambda content=content: content) for name, content in plots.items()}
    for page, render in pages.items():
        faults, said = _check_page(page, render, path)
        differences += faults
        notes += said
    return differences, notes


def _check_page(path: Path, render: Callable[[], bytes], source: Path) -> Found:
    if not path.is_file():
        return [], []
    try:
        same = read_bytes(path) == render()
    except TinyCerbError as error:
        return [Finding(str(path), _say(error))], []
    if same:
        return [], [f"{path}: rendered again, the same bytes"]
    drawn_with, here = _matplotlib_of(path), versions_now()["matplotlib"]
    if drawn_with not in ("", here):
        return [], [f"{path}: drawn with matplotlib {drawn_with}, here is {here}: bytes cannot be compared"]
    return [Finding(str(path), f"is not what {source.name} renders to")], []


def _matplotlib_of(path: Path) -> str:
    manifest = manifest_of(path)
    entry = manifest.entries.get(path.absolute().relative_to(manifest.root).as_posix()) if manifest else None
    return manifest.versions.get(entry.made_by, {}).get("matplotlib", "") if manifest and entry else ""


def _compare(path: Path, found: object, expected: object) -> list[Finding]:
    faults = [Finding(str(path), fault) for fault in _differences("", found, expected)]
    if len(faults) > _MOST_SHOWN:
        rest = Finding(str(path), f"and {len(faults) - _MOST_SHOWN} figures more")
        return [*faults[:_MOST_SHOWN], rest]
    return faults


def _differences(where: str, found: object, expected: object) -> Iterator[str]:
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in dict.fromkeys([*expected, *found]):
            yield from _differences(f"{where}.{key}" if where else key, found.get(key), expected.get(key))
    elif isinstance(found, list | tuple) and isinstance(expected, list | tuple) and len(found) == len(expected):
        for index, (one, other) in enumerate(zip(found, expected, strict=True)):
            yield from _differences(f"{where}[{index}]", one, other)
    elif not _same(found, expected):
        yield f"{where} is {_short(found)}, computed again {_short(expected)}"


def _same(found: object, expected: object) -> bool:
    """Equal up to what a JSON file keeps of a number."""
    if isinstance(found, float) and isinstance(expected, float):
        return math.isclose(found, expected, rel_tol=1e-12, abs_tol=1e-12)
    return found == expected


def _short(value: object) -> str:
    return f"{value!r:.60}"


def _text(text: str) -> bytes:
    return text.encode()


def _say(error: Exception) -> str:
    return str(error) if isinstance(error, TinyCerbError) else f"{type(error).__name__} {error}"
