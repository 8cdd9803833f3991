"""What is to be converted, of whatever kind, to int8 files."""

from pathlib import Path

from tinycerb.config.user_sources import Sources, is_keras_model
from tinycerb.conversion.bundle import Bundle
from tinycerb.conversion.from_tflite import amend_victim, convert_tflite
from tinycerb.conversion.options import ConversionOptions
from tinycerb.datasets import load_dataset
from tinycerb.errors import UsageError
from tinycerb.events import Progress, ignore, say
from tinycerb.file_names import CONFIG, MODEL, QUANTIZATION_AWARE_MODEL
from tinycerb.processes.quiet_tensorflow import import_tensorflow
from tinycerb.run.directory import RunDirectory
from tinycerb.workflow.given_names import check_sources
from tinycerb.workflow.named_model import find_model
from tinycerb.workflow.new_run import warn_of_code
from tinycerb.workflow.work import work


def convert_source(
    source: Path, out: Path | None, options: ConversionOptions, jobs: int, quiet: bool
) -> dict[Path, Bundle]:
    """Converts a run, a Keras file or a .tflite file.

    Args:
        source: which; a victim's folder means its .tflite file.
        out: the new directory, for a file; None for `converted/NAME`.
        options: what is asked for.
        jobs: tasks side by side, 0 for one per core.
        quiet: whether to show no progress.

    Returns:
        The converted files by their paths.

    Raises:
        UsageError: options that do not fit each other or the source, or no such model.
        EnvironmentProblem: the source is missing or damaged, or something cannot be written.
        GateError: a head loses more accuracy than it may.
    """
    check_sources(Sources(data=options.data))
    options.check()
    if (source / MODEL).is_file() and not (source / CONFIG).is_file():
        # A victim's folder, or what an earlier conversion has left.
        out = out or Path("converted") / source.name
        source = find_model(source)
    is_keras = is_keras_model(source)
    if options.allow_code and not is_keras:
        raise UsageError(f"--allow-code is for a Keras file (.h5, SavedModel); nothing of {source} is ever run")
    if source.suffix == ".tflite":
        out = out or Path("converted") / source.stem
        return {out / MODEL: convert_tflite(find_model(source), out, options)}
    if is_keras:
        if options.allow_code:
            warn_of_code(str(source))
        import_tensorflow()
        from tinycerb.conversion.from_keras_file import convert_keras_file

        out = out or Path("converted") / source.stem
        return {out / MODEL: convert_keras_file(source, out, options, ignore if quiet else _say_progress)}
    for option, given in (("--out", out), ("--class-names", options.class_names), ("--data", options.data)):
        if given:
            raise UsageError(f"{option} is for a .h5 or .tflite file; a run knows its own")
    return _convert_run(source, options, jobs, quiet)


def _say_progress(progress: Progress) -> None:
    say(progress.note)


def _convert_run(path: Path, options: ConversionOptions, jobs: int, quiet: bool) -> dict[Path, Bundle]:
    directory = RunDirectory.open(path)
    bundles = {}
    with directory.locked():
        work(directory, ("convert",), jobs, quiet)
        dataset = load_dataset(directory.config.data)
        for victim in directory.config.victims:
            folder = directory.victim(victim.name)
            path = directory.model(victim.name)
            bundles[path] = bundle = amend_victim(folder, dataset.validation.images, options)
            if options.max_accuracy_drop is not None:
                import_tensorflow()
                from tinycerb.compression.quantization import load_quantization_aware
                from tinycerb.conversion.accuracy_gate import check_accuracy

                model = load_quantization_aware(folder / QUANTIZATION_AWARE_MODEL)
                test = dataset.test
                check_accuracy(model, path, bundle.artifact, test.images, test.labels, options.max_accuracy_drop)
    return bundles
