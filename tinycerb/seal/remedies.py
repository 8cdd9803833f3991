"""Which files of a run are artefacts, and what is to be done about one that is damaged, in one sentence."""

from pathlib import Path, PurePosixPath

from tinycerb import file_names as names

# Whoever has changed these has changed the run: no command makes them again.
IRREPLACEABLE = (names.CONFIG, names.ENVIRONMENT)

_SENTENCES = {
    "bring it back, or go on with it as it is: tinycerb check {run} --seal": IRREPLACEABLE,
    "make it again with: tinycerb train --resume {run}": (
        names.TEACHER,
        names.CHECKPOINT,
        names.DENSE,
        names.BUDGET,
        names.CHOICE,
        *names.CANDIDATE_FIGURES,
        names.FLOAT_MODEL,
        names.FLOAT_FACTS,
        names.QUANTIZATION_AWARE_MODEL,
        names.TRAINING,
        names.HISTORY,
        names.OUT_OF_DISTRIBUTION,
        names.REFERENCE,
        names.REFERENCE_POSTERIORS,
    ),
    "make it again with: tinycerb convert {run}": (
        names.MODEL,
        names.CUSTOM_MODEL,
        names.MODEL_JSON,
        names.GOLDEN_VECTORS,
        names.GOLDEN_HEADER,
        names.RESOLVER_HEADER,
        "redirection.tflite",
    ),
    "make it again with: tinycerb bench {run}": (
        names.MEASUREMENTS,
        names.TEST_LABELS,
        names.LATENCY,
        names.METRICS,
    ),
    "make it again with: tinycerb bench cost {run}": (names.COSTS,),
    "make it again with: tinycerb report {run}": (names.REPORT, names.MODEL_CARD),
    "make it again with: tinycerb bench matrix --resume {run}": (names.RESULTS, names.RESULTS_PAGE),
    "say where the owner key is: tinycerb run --resume {run} --owner FILE": (names.OWNER,),
    "only training anew, with another --out, takes these times again": (names.EPOCH_TIMES,),
}
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
        case (_,) | ("teacher", _) | ("dense" | "victims", _, _):
            return path.name in _BY_NAME
        case (names.PLUGINS, _, *_):
            return path.suffix in (".py", ".c", ".h")
        case ("cells", _):
            return path.suffix == ".json"
        case ("answers", _):
            return path.suffix == ".npz"
        case ("plots", _):
            return path.suffix in (".png", ".pdf")
    return False
