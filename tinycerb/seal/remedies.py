"""What is to be done about an artefact that is damaged, in one sentence with one command."""

from pathlib import Path

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
# By name: all artefacts but those whose names are digests.
NAMES = {name: sentence for sentence, names in _SENTENCES.items() for name in names}


def remedy(run: Path, name: str) -> str:
    """Returns what to do about a file of a run."""
    return NAMES.get(name, _ANY_OTHER).format(run=run)
