"""What each kind of task does, and how to tell that it is done. Heavy imports stand inside the steps:
a process that trains must not load tflite-runtime, and one that measures must not load TensorFlow."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np

from tinycerb.atomic import read_json, write_arrays, write_json
from tinycerb.bench.cell import cell_specs, find_cell
from tinycerb.datasets import load_dataset
from tinycerb.events import Progress, Report
from tinycerb.run_dir import RunDirectory


@dataclass(frozen=True)
class Step:
    """The two sides of a kind of task.

    Attributes:
        run: does the work; takes the run, the task's arguments and a progress callback.
        done: whether its results are there; takes the run and the arguments.
    """

    run: Callable[[RunDirectory, tuple[str, ...], Report], None]
    done: Callable[[RunDirectory, tuple[str, ...]], bool]


def _dense(run: RunDirectory, arguments: tuple[str, ...], report: Report) -> None:
    from tinycerb.training.victim import train_dense

    (victim,) = arguments
    train_dense(run.config, victim, load_dataset(run.config.data), run.dense(victim), report)


def _fit(run: RunDirectory, arguments: tuple[str, ...], report: Report) -> None:
    from tinycerb.compression.budget import Budget, Size, fit_ratio
    from tinycerb.training.model_source import compare_model
    from tinycerb.training.setup import make_repeatable
    from tinycerb.training.sizing import measure_size

    (name,) = arguments
    victim, dataset = run.config.victim(name), load_dataset(run.config.data)
    make_repeatable(run.config.seed)
    compare_model(run.config)

    def measure(ratio: float) -> Size:
        size = measure_size(run.config, victim, dataset, ratio)
        note = f"{ratio:.1%} of the channels cut: file {size.file_bytes:,}, arena {size.arena_bytes:,} bytes"
        report(Progress(1, 8, note))
        return size

    found, tried = fit_ratio(measure, Budget(victim.flash_bytes, victim.ram_bytes))
    budget = {"channel_ratio": found.ratio, "tried": [asdict(size) for size in tried]}
    write_json(run.victim(name) / "budget.json", budget)


def _train(run: RunDirectory, arguments: tuple[str, ...], report: Report) -> None:
    from tinycerb.training.twins import adopt_training
    from tinycerb.training.victim import train_victim

    victim, dense, twin = arguments
    if twin != victim:
        adopt_training(run.config, victim, run.victim(twin), run.victim(victim))
        return
    train_victim(
        run.fitted_config(victim), victim, load_dataset(run.config.data), run.dense(dense), run.victim(victim), report
    )


def _convert(run: RunDirectory, arguments: tuple[str, ...], report: Report) -> None:
    from tinycerb.conversion import convert_victim

    (victim,) = arguments
    convert_victim(run.config, victim, load_dataset(run.config.data), run.victim(victim), report)


def _measure(run: RunDirectory, arguments: tuple[str, ...], report: Report) -> None:
    from tinycerb.bench.accuracy import compare_kernels, measure_accuracy
    from tinycerb.bench.arena import measure_arena
    from tinycerb.bench.coherence import measure_coherence
    from tinycerb.bench.layer_noise import measure_quantization
    from tinycerb.compiled_model import open_fastest
    from tinycerb.tflite_model import open_model

    (victim,) = arguments
    dataset = load_dataset(run.config.data)
    test = dataset.test
    run.model_sha256(victim)
    model = open_model(run.model(victim))
    float_accuracies = read_json(run.victim(victim) / "training.json")["float_accuracy_per_head"]
    # The same bytes, many times as fast.
    compiled = open_fastest(run.model(victim))
    accuracy, answers = measure_accuracy(compiled, test, report)
    # A response's own layers and networks come after the heads that were trained.
    quantized_accuracies = accuracy["accuracy_before_response"][: len(float_accuracies)]
    # Attackers never see these: they are what clones are compared with afterwards.
    write_arrays(
        run.victim(victim) / "test_labels.npz",
        {"labels": answers.argmax(axis=1), "answers": answers.astype(np.float32)},
    )
    write_json(
        run.victim(victim) / "measurements.json",
        {
            "accuracy": accuracy,
            "quantization": measure_quantization(
                run, victim, model, float(np.mean(quantized_accuracies)), float(np.mean(float_accuracies)), test.images
            ),
            "coherence": measure_coherence(compiled, run.config, dataset),
            "arena": measure_arena(run.model(victim), model, test.images),
            "optimised_kernels": compare_kernels(run, victim, model, test.images),
        },
    )


def _latency(run: RunDirectory, arguments: tuple[str, ...], report: Report) -> None:
    from tinycerb.bench.latency import measure_latency

    models = {victim.name: run.model(victim.name) for victim in run.config.victims}
    write_json(run.latency, measure_latency(models, run.config.bench.latency_rounds, report))


def _steal(run: RunDirectory, arguments: tuple[str, ...], report: Report) -> None:
    from tinycerb.bench.stealing import run_cell

    dataset = load_dataset(run.config.data)
    specs = cell_specs(run, dataset, *arguments)
    for index, spec in enumerate(specs):
        run_cell(run, dataset, spec, partial(_share, report, spec.student, index, len(specs)))


def _share(report: Report, student: str, index: int, count: int, progress: Progress) -> None:
    """Passes on the progress of one of several cells as that of all."""
    done = index + progress.done / max(progress.total, 1)
    report(Progress(round(1000 * done), 1000 * count, f"{student}: {progress.note}"))


def _stolen(run: RunDirectory, arguments: tuple[str, ...]) -> bool:
    if not (run.victim(arguments[0]) / "model.json").exists():
        return False
    specs = cell_specs(run, load_dataset(run.config.data), *arguments)
    return all(find_cell(run, spec) is not None for spec in specs)


STEPS: dict[str, Step] = {
    "dense": Step(_dense, lambda run, arguments: (run.dense(arguments[0]) / "dense.json").exists()),
    "fit": Step(_fit, lambda run, arguments: (run.victim(arguments[0]) / "budget.json").exists()),
    "train": Step(_train, lambda run, arguments: (run.victim(arguments[0]) / "training.json").exists()),
    "convert": Step(_convert, lambda run, arguments: (run.victim(arguments[0]) / "model.json").exists()),
    "measure": Step(_measure, lambda run, arguments: (run.victim(arguments[0]) / "measurements.json").exists()),
    "latency": Step(_latency, lambda run, arguments: run.latency.exists()),
    "steal": Step(_steal, _stolen),
}
