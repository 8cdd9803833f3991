"""What should be known about a run before work on it goes on, or its figures are read."""

from tinycerb.bench.cell import set_unsound_aside
from tinycerb.events import say
from tinycerb.run.directory import RunDirectory
from tinycerb.run.plugin_files import keep_plugins
from tinycerb.seal.care import mend
from tinycerb.seal.versions import differences, versions_now


def say_if_unsealed(run: RunDirectory) -> None:
    """Says that nothing tells whether a run's files are the ones that were made."""
    if not run.has_seal:
        say(
            f"note: {run.path} has no seal: it is of an older version, and its files are believed as they lie there; "
            f"take them into a manifest with: tinycerb check {run.path} --seal"
        )


def prepare(run: RunDirectory) -> bool:
    """Moves damaged artefacts aside and says so, and says if other versions have made the run. It must be locked.

    Returns:
        Whether anything was damaged.

    Raises:
        EnvironmentProblem: what is damaged cannot be made again.
    """
    say_if_unsealed(run)
    damaged = mend(run.path) if run.has_seal else set_unsound_aside(run)
    for sentence in [*damaged, *keep_plugins(run)]:
        say(sentence)
    # In words each once: several sets of versions may differ in the same one.
    others = list(dict.fromkeys(text for then in run.versions() for text in differences(then, versions_now())))
    if others:
        recorded = "the manifest says which made what; " if run.has_seal else ""
        say(f"note: {run.path} was made with {', '.join(others)}: {recorded}figures may differ in their last digits")
    return bool(damaged)
