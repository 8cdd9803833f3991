"""The leak against its definition, and on the smoke run."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tinycerb.bench.leak import Leak, measure_leak, normalised_information
from tinycerb.cli.leak import leak
from tinycerb.datasets.images import image_fingerprints
from tinycerb.datasets.procedural import FAMILIES
from tinycerb.errors import UsageError


def test_a_permutation_of_the_classes_leaks_everything_and_chance_nothing() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 10, 5000)
    assert normalised_information(rng.permutation(10)[truth], truth) == pytest.approx(1)
    assert normalised_information(rng.integers(0, 10, 5000), truth) == pytest.approx(0, abs=0.01)
    assert normalised_information(truth * 0, truth) is None


def test_by_hand() -> None:
    """Two fair coins that agree three times out of four."""
    first, second = np.array([0, 0, 0, 0, 1, 1, 1, 1]), np.array([0, 0, 0, 1, 1, 1, 1, 0])
    agreement = 0.75 * np.log(0.75) + 0.25 * np.log(0.25)
    assert normalised_information(first, second) == pytest.approx(1 + agreement / np.log(2))


def test_entropies_that_differ_share_the_denominator() -> None:
    """Four labels that tell one of two: information log 2 over the mean of log 4 and log 2."""
    four, two = np.arange(400) % 4, np.arange(400) % 2
    assert normalised_information(four, two) == pytest.approx(2 / 3)
    assert normalised_information(two, four) == pytest.approx(2 / 3)


SURE_IMAGES, UNSURE_IMAGES = 60, 8
IMAGES = np.random.default_rng(0).integers(0, 256, (SURE_IMAGES + UNSURE_IMAGES, 4, 4, 1), dtype=np.uint8)


def codes_of(labels: np.ndarray, top: int | np.ndarray) -> np.ndarray:
    """Posteriors uint16 [N, 4] that give a label `top` of 256."""
    return np.where(np.arange(4) == labels[:, np.newaxis], top, 256 - top).astype(np.uint16)


@pytest.fixture
def made_up(monkeypatch, tmp_path: Path) -> Callable[..., Leak]:
    """Measures victims whose answers are given: by name, of every head, uint16 [N, heads, 4]."""

    def measure(answers: dict[str, np.ndarray], trained: np.ndarray = IMAGES[:0], **options) -> Leak:
        for name in answers:
            (tmp_path / name).mkdir(exist_ok=True)
            np.savez(tmp_path / name / "out_of_distribution.npz", fingerprints=image_fingerprints(trained))
        config = SimpleNamespace(
            data="data",
            seed=5,
            victims=[SimpleNamespace(name=name) for name in answers],
            out_of_distribution=SimpleNamespace(families=["strokes"]),
            bench=SimpleNamespace(baseline="plain"),
        )
        run = SimpleNamespace(config=config, model=str, victim=tmp_path.joinpath)

        def quantize(images: np.ndarray) -> np.ndarray:
            assert (images == IMAGES).all()
            return images[:, 0, 0, 0]

        class Model:
            def __init__(self, name: str) -> None:
                self.name = name
                self.artifact = SimpleNamespace(selection="fixed", quantize=quantize)

            def all_heads(self, quantized: np.ndarray) -> np.ndarray:
                assert (quantized == IMAGES[:, 0, 0, 0]).all()
                return answers[self.name]

        def drawn(families: list[str], count: int, train: str, seed: int) -> np.ndarray:
            assert (len(families), count, train, seed) == (1, 2000, "train", 100_005)
            return IMAGES

        loaded = SimpleNamespace(train=SimpleNamespace(images="train"))
        monkeypatch.setattr("tinycerb.bench.leak.load_dataset", lambda data: {"data": loaded}[data])
        monkeypatch.setattr("tinycerb.bench.leak.open_artifact", str)
        monkeypatch.setattr("tinycerb.bench.leak.open_fastest", Model)
        monkeypatch.setattr("tinycerb.bench.leak.generate", drawn)
        answering = SimpleNamespace(of_all=lambda quantized, codes: codes)
        monkeypatch.setattr("tinycerb.bench.leak.Answers", lambda model: answering)
        return measure_leak(run, **options)  # pyright: ignore[reportArgumentType]

    return measure


def test_leak_of_made_up_answers_by_hand(made_up) -> None:
    """Labels 0 and 1 in turn; the first head says 2 and 3 for them, the mean of both heads says 0 always but once."""
    truth = np.arange(len(IMAGES)) % 2
    plain = codes_of(truth, 240)[:, np.newaxis]
    # As sure as asked for is not surer.
    plain[SURE_IMAGES:] = codes_of(truth[SURE_IMAGES:], 192)[:, np.newaxis]
    other = codes_of(np.zeros(len(IMAGES), int), 250)
    other[3] = codes_of(np.array([1]), 250)
    defended = np.stack([codes_of(truth + 2, 129), other], axis=1)
    found = made_up({"plain": plain, "defended": defended}, families=["glyphs"], sure_above=0.75)
    assert (found["schema_version"], found["images_per_family"], found["sure_above"]) == (1, 2000, 0.75)
    (family,) = found["families"].values()
    assert (family["sure_images"], family["trained_on"]) == (60, False)
    assert family["victims"]["plain"] == {
        "leak_answer": pytest.approx(1), "leak_mean_head": pytest.approx(1),
        "agreement_answer": 1, "agreement_mean_head": 1,
    }  # fmt: skip
    # One of the mean's sixty labels is 1, and so is the truth there.
    entropy = -(1 / 60 * np.log(1 / 60) + 59 / 60 * np.log(59 / 60))
    both = -(1 / 60 * np.log(1 / 60) + 30 / 60 * np.log(30 / 60) + 29 / 60 * np.log(29 / 60))
    share = 2 * (entropy + np.log(2) - both) / (entropy + np.log(2))
    assert family["victims"]["defended"] == {
        "leak_answer": pytest.approx(1), "leak_mean_head": pytest.approx(share),
        "agreement_answer": 0, "agreement_mean_head": pytest.approx(31 / 60),
    }  # fmt: skip


def test_of_fewer_than_fifty_sure_images_nothing_is_said(made_up) -> None:
    for sure, told in ((49, False), (50, True)):
        top = np.where(np.arange(len(IMAGES)) < sure, 231, 230)
        plain = codes_of(np.arange(len(IMAGES)) % 2, top[:, np.newaxis])[:, np.newaxis]
        row = made_up({"plain": plain}, families=["strokes"])["families"]["strokes"]
        assert (row["sure_images"], row["trained_on"]) == (sure, True)
        assert {value is not None for value in row["victims"]["plain"].values()} == {told}


def test_families_that_were_trained_on_are_left_out_unless_named(made_up, monkeypatch) -> None:
    plain = codes_of(np.arange(len(IMAGES)) % 2, 240)[:, np.newaxis]
    assert list(made_up({"plain": plain})["families"]) == [name for name in FAMILIES if name != "strokes"]
    monkeypatch.setattr("tinycerb.bench.leak.FAMILIES", ["strokes"])
    with pytest.raises(UsageError, match="every family is used in training; name one with --family"):
        made_up({})


def test_images_that_a_victim_was_trained_on_measure_nothing(made_up) -> None:
    plain = codes_of(np.arange(len(IMAGES)) % 2, 240)[:, np.newaxis]
    with pytest.raises(UsageError, match=r"^2 of the images were trained on by plain; they cannot measure its leak$"):
        made_up({"plain": plain}, trained=IMAGES[3:5], families=["glyphs"])


MEASURE = """
import json, sys
from pathlib import Path
from tinycerb.bench.leak import Leak, measure_leak
from tinycerb.run.directory import RunDirectory
print(json.dumps(measure_leak(RunDirectory.open(Path(sys.argv[1])), 400, sure_above=0.3)))
"""


def test_every_held_out_family_of_a_run(smoke_run, run_child) -> None:
    found = json.loads(run_child(MEASURE, smoke_run.path))["families"]
    assert set(found) == set(FAMILIES) - set(smoke_run.config.out_of_distribution.families)
    assert len(found) >= 6
    told = [row for row in found.values() if row["sure_images"] >= 50]
    assert told, "the undefended network is somewhat sure of something"
    for row in told:
        # The baseline leaks itself wholly.
        assert row["victims"]["undefended"]["leak_answer"] in (None, pytest.approx(1))
        defended = row["victims"]["cerberos"]
        assert defended["agreement_answer"] <= 1
        assert 0 <= (defended["leak_mean_head"] or 0) < 1


def test_the_table_says_what_is_good(monkeypatch, capsys, smoke_run) -> None:
    victim = {"leak_answer": 0.25, "leak_mean_head": None}
    family = {"sure_images": 1234, "trained_on": False, "victims": {"undefended": victim}}
    monkeypatch.setattr("tinycerb.bench.leak.measure_leak", lambda *arguments: {"families": {"glyphs": family}})
    leak(smoke_run.path)
    told = capsys.readouterr().out
    assert "0.25 / -" in told
    assert "0: answers off the task say nothing" in told
    assert "Leak ranks no defences" in told
