"""What each kind of task does, and how to tell that it is done. Heavy imports stand inside the steps:
a process that trains must not load tflite-runtime, and one that measures must not load TensorFlow."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from tinycerb import file_names as names
from tinycerb.bench.cell import CellSpec, cell_specs, files_behind, find_cell, of_any_code
from tinycerb.bench.code_digest import accepted_digests
from tinycerb.bench.doses import dose_specs
from tinycerb.bench.parts_code import response_files, training_files
from tinycerb.datasets import load_dataset
from tinycerb.events import OnProgress, Progress
from tinycerb.jobs.task import Task
from tinycerb.ownership.run_key import RESPONSE, TEACHERS, victim_words
from tinycerb.run.directory import RunDirectory
from tinycerb.run.victim import RunVictim
from tinycerb.seal.files import (
    inputs_digest,
    is_made,
    made_from,
    read_json,
    unmake,
    was_made,
    write_arrays,
    write_json,
)

# (run, a task's arguments) -> the cells that it computes.
SpecsOf = Callable[[RunDirectory, tuple[str, ...]], list[CellSpec]]

_DENSE = (names.CHECKPOINT, names.DENSE)
_TRAINED = (names.OUT_OF_DISTRIBUTION, names.FLOAT_FACTS, names.FLOAT_MODEL, names.HISTORY, names.TRAINING)
_CONVERTED = (names.MODEL, names.GOLDEN_VECTORS, names.GOLDEN_HEADER, names.MODEL_JSON)
_MEASURED = (names.TEST_LABELS, names.MEASUREMENTS)


@dataclass(frozen=True)
class Step:
    """A kind of task; all take the run and the task's arguments.

    Attributes:
        run: does the work; takes a progress callback, too.
        reads: the artefacts of earlier tasks that it reads.
        makes: those that are there when it is done, the last one written last.
        may_make: those that it makes in some runs only: where they were made once, they belong to it.
        begun: what it goes on from where it was stopped.
        code: the files of the victim's parts whose code decides what it makes; none where none does.
    """

    run: Callable[[RunDirectory, tuple[str, ...], OnProgress], None]
    reads: Callable[[RunDirectory, tuple[str, ...]], list[Path]]
    makes: Callable[[RunDirectory, tuple[str, ...]], list[Path]]
    may_make: Callable[[RunDirectory, tuple[str, ...]], list[Path]] = lambda run, arguments: []
    begun: Callable[[RunDirectory, tuple[str, ...]], list[Path]] = lambda run, arguments: []
    code: Callable[[RunVictim], list[Path]] = lambda victim: []


def do(run: RunDirectory, task: Task, on_progress: OnProgress) -> None:
    """Does a task; what it writes is said to be made from what it reads, and by which code."""
    step, codes = STEPS[task.kind], _codes(run, task)
    for files in (step.makes, step.may_make, step.begun) if codes else ():
        for path in files(run, task.arguments):
            # A training that was stopped goes on, but not with other code.
            if is_made(path) and not is_made(path, codes=codes):
                unmake(path)
    with made_from(step.reads(run, task.arguments), codes[0] if codes else ""):
        step.run(run, task.arguments, on_progress)


def made_by_other_code(run: RunDirectory, tasks: Sequence[Task]) -> list[str]:
    """Returns the keys of those tasks whose artefacts are there and count for nothing, since code has changed."""
    changed = []
    for task in tasks:
        if task.kind in CELL_KINDS:
            if is_done(run, task):
                continue
            with of_any_code():
                found = _stolen(run, task)
        else:
            codes, last = _codes(run, task), STEPS[task.kind].makes(run, task.arguments)[-1]
            found = bool(codes) and run.has_seal and is_made(last) and not is_made(last, codes=codes)
        changed += [task.key] if found else []
    return changed


def _codes(run: RunDirectory, task: Task) -> tuple[str, ...]:
    """Digests of the code that may have made what a task makes, that of the code that is here first."""
    code = STEPS[task.kind].code
    files = code(run.victims[task.arguments[0]]) if task.arguments else []
    return accepted_digests(files) if files else ()


def is_done(run: RunDirectory, task: Task) -> bool:
    """Whether everything that a task makes is there, made from what is there now."""
    if task.kind in CELL_KINDS:
        return _stolen(run, task)
    step = STEPS[task.kind]
    if not run.has_seal:
        return is_made(step.makes(run, task.arguments)[-1])
    inputs, codes = inputs_digest(step.reads(run, task.arguments)), _codes(run, task)
    made = [*step.makes(run, task.arguments), *filter(was_made, step.may_make(run, task.arguments))]
    return all(is_made(path, inputs, codes) for path in made)


def _teacher(run: RunDirectory, arguments: tuple[str, ...], on_progress: OnProgress) -> None:
    from tinycerb.training.distillation import train_teacher

    train_teacher(run.config, load_dataset(run.config.data), run.teacher, on_progress)


def _pretrain(run: RunDirectory, arguments: tuple[str, ...], on_progress: OnProgress) -> None:
    from tinycerb.training.victim import train_dense

    (victim,) = arguments
    dataset = load_dataset(run.config.data)
    words = _teachers(run, victim)
    train_dense(run.config, run.victims[victim], dataset, run.dense(victim), on_progress, words, run.teacher)


def _search_ratio(run: RunDirectory, arguments: tuple[str, ...], on_progress: OnProgress) -> None:
    from tinycerb.compression.budget import Budget, Size, fit_ratio
    from tinycerb.conversion.trial_size import measure_size
    from tinycerb.training.model_source import compare_model
    from tinycerb.training.setup import make_repeatable

    (name,) = arguments
    victim, dataset = run.victims[name], load_dataset(run.config.data)
    make_repeatable(run.config.seed)
    compare_model(run.config)

    def measure(ratio: float) -> Size:
        size = measure_size(run.config, victim, dataset, ratio)
        note = f"{ratio:.1%} of the channels cut: file {size.file_bytes:,}, arena {size.arena_bytes:,} bytes"
        on_progress(Progress(1, 8, note))
        return size

    found, tried = fit_ratio(measure, Budget(victim.config.flash_bytes, victim.config.ram_bytes))
    budget = {"channel_ratio": found.ratio, "tried": [asdict(size) for size in tried]}
    write_json(victim.files.budget, budget)


def _train(run: RunDirectory, arguments: tuple[str, ...], on_progress: OnProgress) -> None:
    from tinycerb.training.twins import adopt_training
    from tinycerb.training.victim import train_victim

    victim, dense, twin = arguments
    if twin != victim:
        adopt_training(run.victims[victim], run.victim(twin), run.victim(victim))
        return
    fitted, dataset = run.fitted_victim(victim), load_dataset(run.config.data)
    words = _teachers(run, victim)
    train_victim(run.config, fitted, dataset, run.dense(dense), run.victim(victim), on_progress, words, run.teacher)


def _candidate(run: RunDirectory, arguments: tuple[str, ...], on_progress: OnProgress) -> None:
    from tinycerb.jobs.candidates import do_candidate

    victim, index = arguments
    do_candidate(run, victim, int(index), on_progress)


def _choose(run: RunDirectory, arguments: tuple[str, ...], on_progress: OnProgress) -> None:
    from tinycerb.jobs.candidates import keep_best

    (victim,) = arguments
    keep_best(run, victim)


def _candidates(run: RunDirectory, victim: str) -> list[Path]:
    return [run.victims[victim].files.candidate(index) for index in range(run.config.victim(victim).seeds)]


def _teachers(run: RunDirectory, victim: str) -> tuple[int, ...]:
    return victim_words(run, victim, TEACHERS)


def _convert(run: RunDirectory, arguments: tuple[str, ...], on_progress: OnProgress) -> None:
    from tinycerb.conversion.from_run import convert_victim

    (victim,) = arguments
    words = victim_words(run, victim, RESPONSE)
    convert_victim(
        run.config, run.victims[victim], load_dataset(run.config.data), run.victim(victim), on_progress, words
    )


def _measure(run: RunDirectory, arguments: tuple[str, ...], on_progress: OnProgress) -> None:
    from tinycerb.bench.accuracy import compare_kernels, labels_of, measure_accuracy
    from tinycerb.bench.arena import measure_arena
    from tinycerb.bench.coherence import measure_coherence
    from tinycerb.bench.handling import measure_handling
    from tinycerb.bench.layer_noise import measure_quantization
    from tinycerb.bench.run_separation import measure_pools
    from tinycerb.runtimes.compiled_model import open_fastest
    from tinycerb.runtimes.interpreter_model import open_interpreter
    from tinycerb.runtimes.model_artifact import open_artifact

    (victim,) = arguments
    dataset = load_dataset(run.config.data)
    test = dataset.test
    run.model_sha256(victim)
    artifact = open_artifact(run.model(victim))
    model = open_interpreter(artifact)
    float_accuracies = read_json(run.victims[victim].files.training)["float_accuracy_per_head"]
    # The same bytes, many times as fast.
    compiled = open_fastest(artifact)
    accuracy, answers = measure_accuracy(compiled, test, on_progress)
    # A response's own layers and networks come after the heads that were trained.
    quantized_accuracies = accuracy["accuracy_before_response"][: len(float_accuracies)]
    # Whom misdirection can reach is said of the undefended network, before any defence.
    is_baseline = victim == run.config.bench.baseline
    told_apart = {"separation": measure_pools(run.config, artifact, dataset)} if is_baseline else {}
    # Attackers never see these: they are what clones are compared with afterwards.
    write_arrays(
        run.victims[victim].files.test_labels,
        {"labels": answers.argmax(axis=1), "answers": answers.astype(np.float32)},
    )
    write_json(
        run.victims[victim].files.measurements,
        {
            "accuracy": accuracy,
            "quantization": measure_quantization(
                run, victim, model, float(np.mean(quantized_accuracies)), float(np.mean(float_accuracies)), test.images
            ),
            "coherence": measure_coherence(compiled, run.config, dataset),
            "arena": measure_arena(run.model(victim), model, test.images),
            "optimised_kernels": compare_kernels(model, test.images),
            "handling": measure_handling(partial(labels_of, compiled), test),
            **told_apart,
        },
    )


def _latency(run: RunDirectory, arguments: tuple[str, ...], on_progress: OnProgress) -> None:
    from tinycerb.bench.latency import measure_latency

    models = {victim.name: run.model(victim.name) for victim in run.config.victims}
    write_json(run.latency, measure_latency(models, run.config.bench.latency_rounds, on_progress))


def _specs_of_attack(run: RunDirectory, arguments: tuple[str, ...]) -> list[CellSpec]:
    return cell_specs(run, load_dataset(run.config.data), *arguments)


def _specs_of_doses(run: RunDirectory, arguments: tuple[str, ...]) -> list[CellSpec]:
    return dose_specs(run, load_dataset(run.config.data), *arguments)


def _steal(specs_of: SpecsOf, run: RunDirectory, arguments: tuple[str, ...], on_progress: OnProgress) -> None:
    from tinycerb.bench.stealing import run_cell

    dataset, specs = load_dataset(run.config.data), specs_of(run, arguments)
    for index, spec in enumerate(specs):
        run_cell(run, dataset, spec, partial(_share, on_progress, spec.student, index, len(specs)))


def _share(on_progress: OnProgress, student: str, index: int, count: int, progress: Progress) -> None:
    """Passes on the progress of one of several cells as that of all."""
    done = index + progress.done / max(progress.total, 1)
    on_progress(Progress(round(1000 * done), 1000 * count, f"{student}: {progress.note}"))


def _stolen(run: RunDirectory, task: Task) -> bool:
    if not all(map(is_made, _in(run.victim(task.arguments[0]), *_CONVERTED, *_MEASURED))):
        return False
    return all(find_cell(run, spec) is not None for spec in CELL_KINDS[task.kind](run, task.arguments))


def _cells_step(specs_of: SpecsOf) -> Step:
    return Step(
        partial(_steal, specs_of),
        reads=lambda run, arguments: files_behind(run, arguments[0]),
        makes=lambda run, arguments: [run.cell(spec.digest()) for spec in specs_of(run, arguments)],
    )


def _in(folder: Path, *names: str) -> list[Path]:
    return [folder / name for name in names]


def _trained(run: RunDirectory, victim: str) -> list[Path]:
    more = (names.QUANTIZATION_AWARE_MODEL,) if run.config.quantization.method == "aware" else ()
    return _in(run.victim(victim), *more, *_TRAINED)


def _before_training(run: RunDirectory, arguments: tuple[str, ...]) -> list[Path]:
    victim, dense, twin = arguments
    if twin != victim:
        return _trained(run, twin)
    fitted = _in(run.victim(victim), names.BUDGET) if run.config.victim(victim).has_budget else []
    return [*_in(run.dense(dense), *_DENSE), *fitted, *_of_teacher(run)]


def _of_teacher(run: RunDirectory) -> list[Path]:
    return [run.teacher / names.TEACHER] if run.config.distillation.backbone else []


def _models(run: RunDirectory) -> list[Path]:
    return [run.model(victim.name) for victim in run.config.victims]


# Kinds whose artefacts are cells, which name what they come from.
CELL_KINDS: dict[str, SpecsOf] = {"steal": _specs_of_attack, "dose": _specs_of_doses}

STEPS: dict[str, Step] = {
    "teacher": Step(
        _teacher,
        reads=lambda run, arguments: [],
        makes=lambda run, arguments: _of_teacher(run),
    ),
    "pretrain": Step(
        _pretrain,
        reads=lambda run, arguments: _of_teacher(run),
        makes=lambda run, arguments: _in(run.dense(arguments[0]), *_DENSE),
        may_make=lambda run, arguments: _in(run.dense(arguments[0]), names.REFERENCE, names.REFERENCE_POSTERIORS),
        code=training_files,
    ),
    "search_ratio": Step(
        _search_ratio,
        reads=lambda run, arguments: [],
        makes=lambda run, arguments: _in(run.victim(arguments[0]), names.BUDGET),
    ),
    "train": Step(
        _train,
        reads=_before_training,
        makes=lambda run, arguments: _trained(run, arguments[0]),
        begun=lambda run, arguments: _in(run.victim(arguments[0]), names.CHECKPOINT),
        code=training_files,
    ),
    "candidate": Step(
        _candidate,
        reads=lambda run, arguments: [],
        makes=lambda run, arguments: [_candidates(run, arguments[0])[int(arguments[1])]],
        code=lambda victim: [*training_files(victim), *response_files(victim)],
    ),
    "choose": Step(
        _choose,
        reads=lambda run, arguments: _candidates(run, arguments[0]),
        makes=lambda run, arguments: [run.victims[arguments[0]].files.choice, *_trained(run, arguments[0])],
        may_make=lambda run, arguments: _in(run.victim(arguments[0]), names.BUDGET),
        code=training_files,
    ),
    "convert": Step(
        _convert,
        reads=lambda run, arguments: _trained(run, arguments[0]),
        makes=lambda run, arguments: _in(run.victim(arguments[0]), *_CONVERTED),
        may_make=lambda run, arguments: _in(
            run.victim(arguments[0]), names.RESOLVER_HEADER, *run.victims[arguments[0]].response.files
        ),
        code=response_files,
    ),
    "measure": Step(
        _measure,
        reads=lambda run, arguments: [*_trained(run, arguments[0]), run.model(arguments[0])],
        makes=lambda run, arguments: _in(run.victim(arguments[0]), *_MEASURED),
        code=response_files,
    ),
    "latency": Step(
        _latency,
        reads=lambda run, arguments: _models(run),
        makes=lambda run, arguments: [run.latency],
    ),
    **{kind: _cells_step(specs_of) for kind, specs_of in CELL_KINDS.items()},
}
