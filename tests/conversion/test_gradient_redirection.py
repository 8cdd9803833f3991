"""GRAD^2 in a run: the surrogate's file beside the victim, and answers that it has redirected."""

import numpy as np

from tinycerb.answers.responses.grad2 import watermark
from tinycerb.attacks.building_blocks.distill import DistillSettings, distill, predictor
from tinycerb.attacks.building_blocks.students import STUDENTS
from tinycerb.config import VictimConfig
from tinycerb.conversion.fitting import TrainedVictim
from tinycerb.datasets import load_dataset
from tinycerb.datasets.query_pools import load_animal_mnist
from tinycerb.events import ignore
from tinycerb.keras_models.legacy import keras
from tinycerb.oracle import OracleSpec, SealedOracle
from tinycerb.run.victim import resolve_victim


def test_a_victim_of_the_smoke_run_answers_redirected(smoke_run, cli, tmp_path) -> None:
    folder = tmp_path / "victim"
    folder.mkdir()
    for name in ("float.h5", "model.tflite"):
        (folder / name).write_bytes((smoke_run.victim("undefended") / name).read_bytes())
    response = "grad2,epsilon=0.8,surrogate_epochs=1"
    victim, config = resolve_victim(VictimConfig("undefended", response=response)), smoke_run.config
    dataset = load_dataset(config.data)
    victim.response.fit(TrainedVictim(config, victim, dataset, folder, ignore))
    assert (folder / "redirection.tflite").stat().st_size > 1000
    amended = _with_response(folder / "model.tflite", response)
    images = dataset.test.images[:200]
    with SealedOracle(OracleSpec(str(smoke_run.model("undefended")), "probs", "fixed", 1)) as oracle:
        clean = oracle.query(images)
    with SealedOracle(OracleSpec(str(amended), "probs", "fixed", 1)) as oracle:
        redirected = oracle.query(images)
    moved = np.abs(redirected - clean).sum(axis=1)
    assert moved.max() <= 0.8
    assert moved.mean() > 0.4
    # All answers push one way: few classes get what is taken.
    gains = (redirected - clean).argmax(axis=1)
    assert np.bincount(gains, minlength=10).max() > 60


def _with_response(path, response: str):
    from tinycerb.converters.metadata import embed_metadata, read_metadata
    from tinycerb.converters.model_file import read_model_file

    file = read_model_file(path)
    path.write_bytes(embed_metadata(file.content, {**(read_metadata(file) or {}), "response": response}))
    return path


def test_without_its_network_the_error_says_so(smoke_run, tmp_path) -> None:
    import pytest

    from tinycerb.errors import EnvironmentProblem

    path = tmp_path / "model.tflite"
    path.write_bytes(smoke_run.model("undefended").read_bytes())
    oracle = SealedOracle(OracleSpec(str(_with_response(path, "grad2")), "probs", "fixed", 1))
    with oracle, pytest.raises(EnvironmentProblem, match="answers within a run only"):
        oracle.query(np.zeros((1, 28, 28, 1), np.uint8))


def test_a_clone_carries_the_watermark(smoke_run, tmp_path) -> None:
    """At least 30 % of the watermark's images, and three times what a clone of the clean victim gets right."""
    dataset = load_dataset(smoke_run.config.data)
    folder = tmp_path / "victim"
    folder.mkdir()
    for name in ("float.h5", "model.tflite"):
        (folder / name).write_bytes((smoke_run.victim("undefended") / name).read_bytes())
    response = "grad2,epsilon=1.0,target=watermark,surrogate_epochs=1"
    victim, config = resolve_victim(VictimConfig("undefended", response=response)), smoke_run.config
    context = TrainedVictim(config, victim, dataset, folder, ignore)
    victim.response.fit(context)
    amended = _with_response(folder / "model.tflite", response)
    marks, labels = watermark(context.clean_posteriors, dataset, config.seed)
    asked = load_animal_mnist()[:2000]
    found = {}
    for path in (smoke_run.model("undefended"), amended):
        keras.utils.set_random_seed(4)
        clone = STUDENTS["lenet"](dataset.image_shape, dataset.classes)
        with SealedOracle(OracleSpec(str(path), "probs", "fixed", 1)) as oracle:
            answers = oracle.query(asked)
        distill([clone], asked, answers, DistillSettings(3, 64, 2e-3), 4, lambda epoch, predict: None, ignore)
        found[path] = float((predictor([clone])(marks).argmax(axis=1) == labels).mean())
    clean, marked = found.values()
    assert marked >= max(0.3, 3 * clean), found


def test_the_watermark_is_the_same_for_the_same_seed_and_key(smoke_run) -> None:
    dataset = load_dataset(smoke_run.config.data)
    victim = smoke_run.victims["undefended"]
    model = TrainedVictim(smoke_run.config, victim, dataset, victim.files.folder, ignore).clean_posteriors
    (images, labels), (again, _) = (watermark(model, dataset, 1) for _ in range(2))
    assert (images == again).all()
    assert len(set(labels)) == 1
    # A key's watermark is the key's: whoever knows the seed does not know it.
    keyed, again, other = (watermark(model, dataset, 1, words)[0] for words in ((7, 8), (7, 8), (8, 7)))
    assert (keyed == again).all()
    assert (keyed != images).any(axis=(1, 2, 3)).all()
    assert (keyed != other).any(axis=(1, 2, 3)).all()
