"""Which files of a run are artefacts, and what is to be done about one that is damaged, in one sentence."""

from pathlib import Path, PurePosixPath

# Whoever has changed these has changed the run: no command makes them again.
IRREPLACEABLE = ("config.toml", "env.json")

_SENTENCES = {
    "bring it back, or go on with it as it is: tinycerb check {run} --seal": IRREPLACEABLE,
    "make it again with: tinycerb train --resume {run}": (
        "checkpoint.npz", "dense.json", "budget.json", "float.h5", "float.json", "model.h5", "training.json",
        "history.csv", "out_of_distribution.npz", "reference.h5", "reference_posteriors.npz",
    ),
    "make it again with: tinycerb convert {run}": (
        "model.tflite", "model.custom.tflite", "model.json", "golden.bin", "golden.h", "resolver.h",
        "redirection.tflite",
    ),
    "make it again with: tinycerb bench {run}": (
        "measurements.json", "test_labels.npz", "latency.json", "metrics.json",
    ),
    "make it again with: tinycerb bench cost {run}": ("costs.json",),
    "make it again with: tinycerb report {run}": ("report.pdf", "model_card.md"),
    "make it again with: tinycerb bench matrix --resume {run}": ("results.json", "results.md"),
    "say where the owner key is: tinycerb run --resume {run} --owner FILE": ("owner.json",),
    "only training anew, with another --out, takes these times again": ("epoch_times.csv",),
}  # fmt: skip
_ANY_OTHER = "whatever goes on with --resume {run} makes it again"
_BY_NAME = {name: sentence for sentence, names in _SENTENCES.items() for name in names}


def remedy(run: Path, name: str) -> str:
    """Returns what to do about a file of a run."""
    return _BY_NAME.get(name, _ANY_OTHER).format(run=run)


def is_artefact(name: str) -> bool:
    """Whether a file is one that a later step, or a reader of results, takes from a run.

    Logs, events, locks and estimates are for people alone; whatever else lies there is the user's.

    Args:
        name: counted from the run directory, with slashes.
    """
    path = PurePosixPath(name)
    if path.name.startswith("."):
        return False
    match path.parts:
        case (_,) | ("dense" | "victims", _, _):
            return path.name in _BY_NAME
        case ("cells", _):
            return path.suffix == ".json"
        case ("answers", _):
            return path.suffix == ".npz"
        case ("plots", _):
            return path.suffix in (".png", ".pdf")
    return False
