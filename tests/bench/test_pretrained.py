"""Pretrained students as cells use them: what names them, what is kept of them and where, and which threat they are."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.bench.test_cell_files import ATTACK, DATASET, run_of
from tests.bench.test_clones import INPUTS, SPEC
from tinycerb.attacks import AttackInputs
from tinycerb.attacks.building_blocks.pretraining import Pretrained, weights_of_body
from tinycerb.attacks.building_blocks.students import STUDENTS
from tinycerb.bench import pretrained, stealing
from tinycerb.bench.cell import CellContent, specs_of_attack, threat_class
from tinycerb.bench.parts_code import code_of
from tinycerb.bench.pretrained import pretrained_student
from tinycerb.config import AttackConfig, load_config
from tinycerb.datasets import fetched, query_pools
from tinycerb.datasets.images import LabelledImages, digest_arrays
from tinycerb.datasets.query_pools import digest_labelled, labelled_images
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.events import ignore
from tinycerb.jobs.check_names import check_names
from tinycerb.workflow.work import load_inputs

POOL = "tiny_imagenet_attacker"
PRETRAINED = replace(ATTACK, pretraining=POOL)


@pytest.fixture
def photographs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two made-up photographs of each class, as the fetched file gives them."""
    labels = np.repeat(np.arange(200), 2).astype(np.int32)
    images = np.random.default_rng(1).integers(0, 256, (400, 32, 32, 3), dtype=np.uint8)
    found = LabelledImages(images, labels)
    query_pools._labelled_photographs.cache_clear()
    monkeypatch.setattr(query_pools, "load_fetched", lambda name: (found, found))
    yield
    query_pools._labelled_photographs.cache_clear()


@pytest.mark.parametrize(("pool", "classes"), [(POOL, 77), ("tiny_imagenet_all", 200)])
@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3)])
def test_labels_are_those_of_a_pools_classes_in_the_shape_of_the_task(photographs, pool, classes, shape) -> None:
    found = labelled_images(pool, shape)
    assert found.images.shape == (2 * classes, *shape)
    assert found.images.dtype == np.uint8
    np.testing.assert_array_equal(found.labels, np.repeat(np.arange(classes), 2))
    assert found.labels.dtype == np.int32


@pytest.mark.parametrize(("pool", "threat"), [(POOL, "T1"), ("tiny_imagenet_all", "T2"), ("", "T1")])
def test_who_was_trained_on_the_victims_own_kinds_is_t2(pool: str, threat: str) -> None:
    assert threat_class(AttackConfig("a", query_pool="animal_mnist", pretraining=pool)) == threat
    assert threat_class(AttackConfig("a", query_pool="in_distribution", pretraining=pool)) == "T2"


def test_a_pool_without_labels_and_an_unknown_one_are_told_before_anything_is_trained() -> None:
    config = load_config("smoke")
    for name, said in (
        ("animal_mnist", r"animal_mnist has no labels to pretrain a student on; allowed: tiny_imagenet_all, tiny_"),
        ("tiny_imagenet", "unknown query pool 'tiny_imagenet'"),
    ):
        attacks = (replace(config.attacks[0], pretraining=name),)
        with pytest.raises(UsageError, match=said):
            check_names(replace(config, attacks=attacks))


def test_without_the_photographs_the_command_that_fetches_them_is_said(tmp_path: Path, monkeypatch) -> None:
    query_pools._labelled_photographs.cache_clear()
    monkeypatch.setattr(query_pools, "load_fetched", lambda name: fetched.load_fetched(name, tmp_path))
    with pytest.raises(EnvironmentProblem, match=r"tiny_imagenet is not here .* -m tinycerb.datasets.fetch tiny_"):
        specs_of_attack(run_of(tmp_path), DATASET, "cerberos", PRETRAINED, "random", "abc", "asked")
    # Before hours of work, too.
    config = load_config("smoke")
    with pytest.raises(EnvironmentProblem, match=r"tiny_imagenet is not here .* -m tinycerb.datasets.fetch tiny_"):
        load_inputs(replace(config, attacks=(replace(config.attacks[0], pretraining=POOL),)))


def test_a_cell_is_named_by_its_photographs_and_by_the_code_that_learns_them(photographs, tmp_path: Path) -> None:
    run = run_of(tmp_path)
    scratch, others = (
        specs_of_attack(run, DATASET, "cerberos", attack, "random", "abc", "asked")[0]
        for attack in (ATTACK, PRETRAINED)
    )
    assert (scratch.pretraining, others.pretraining) == ("", digest_labelled(POOL, DATASET))
    assert scratch.code == code_of(run.victims["cerberos"], "knockoff", "lenet")
    assert others.code == code_of(run.victims["cerberos"], "knockoff", "lenet", POOL)
    assert others.code.student != scratch.code.student
    assert replace(others.code, student="") == replace(scratch.code, student="")
    names = {spec.digest() for spec in (scratch, others, replace(others, pretraining="other photographs"))}
    assert len(names) == 3


def test_photographs_that_are_the_victims_own_are_refused(photographs) -> None:
    own = labelled_images(POOL, (32, 32, 3)).images[:2]
    part = LabelledImages(own, np.zeros(2, np.int32))
    with pytest.raises(UsageError, match="2 of the 154 images of the query pool tiny_imagenet_attacker are also"):
        digest_labelled(POOL, replace(DATASET, train=part, validation=part, test=part))


@pytest.fixture
def learn(photographs, monkeypatch, tmp_path: Path):
    """Returns a pretrained student from a folder of its own, and how often one was really trained."""
    trained: list[int] = []

    def counted(build, images, seed, on_progress):
        """As it starts: what training does to it is shown elsewhere (tests/attacks/test_pretraining.py)."""
        assert images.labels.max() == 76
        trained.append(seed)
        return Pretrained([variable.numpy() for variable in weights_of_body(build(77))], 0.25)

    monkeypatch.setattr(pretrained, "pretrain", counted)
    found = labelled_images(POOL, (12, 12, 1))
    here = digest_arrays(found.images, found.labels)

    def run(student: str = "lenet", seed: int = 1, code: str = "code", digest: str = here):
        folder = tmp_path / "kept"
        found = pretrained_student(student, STUDENTS[student], POOL, (12, 12, 1), seed, digest, code, ignore, folder)
        return found, trained

    return run, tmp_path / "kept"


def test_a_student_is_pretrained_once_for_all_that_decides_its_weights(learn) -> None:
    run, folder = learn
    first, trained = run()
    again, _ = run()
    assert trained == [1]
    for one, other in zip(first.weights, again.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert first.accuracy == again.accuracy
    run(seed=2)
    run(code="other code")
    run(student="plain_cnn")
    assert trained == [1, 2, 1, 1]
    assert len(list(folder.glob("*.npz"))) == 4
    assert not list(folder.glob("*.part"))


@pytest.mark.parametrize("harm", ["cut", "bit", "another student's", "not finite"])
def test_a_damaged_file_is_made_again(learn, harm: str) -> None:
    run, folder = learn
    first, trained = run()
    (path,) = folder.glob("*.npz")
    content = path.read_bytes()
    if harm == "cut":
        path.write_bytes(content[:1000])
    elif harm == "bit":
        path.write_bytes(content[:5000] + bytes([content[5000] ^ 1]) + content[5001:])
    elif harm == "another student's":
        run(student="plain_cnn")
        shutil.copyfile(next(folder.glob("plain_cnn*.npz")), path)
    else:
        arrays = dict(np.load(path))
        np.savez(path, **{**arrays, "weights_0": arrays["weights_0"] * np.nan})
    before = len(trained)
    again, _ = run()
    assert len(trained) == before + 1
    for one, other in zip(first.weights, again.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert path.stat().st_size == len(content)


def test_a_computer_with_other_photographs_and_a_folder_that_cannot_be_written_are_told(learn) -> None:
    run, folder = learn
    with pytest.raises(EnvironmentProblem, match="are not those that this cell's student is pretrained on; fetch them"):
        run(digest="other")
    shutil.rmtree(folder)
    folder.write_text("a file")
    with pytest.raises(EnvironmentProblem, match="cannot be written: pretrained students are kept there; make it writ"):
        run()


def test_a_clone_does_not_depend_on_whether_its_student_was_pretrained_before(learn, monkeypatch, tmp_path) -> None:
    """The cell's last layers are drawn after pretraining; its folder holds nothing of it."""
    run, folder = learn
    monkeypatch.setattr(pretrained, "CACHE", folder)
    inputs = replace(INPUTS, test=LabelledImages(np.zeros((4, 12, 12, 1), np.uint8), INPUTS.test.labels))
    oracle = type("Oracle", (), {"charged": 0, "engine": {}})()
    remembered = type("Remembered", (), {"__enter__": lambda self: oracle, "__exit__": lambda self, *error: None})()
    monkeypatch.setattr(stealing, "RememberedOracle", lambda *arguments: remembered)
    monkeypatch.setattr(stealing, "require_code", lambda *arguments: None)
    seen: list[list[np.ndarray]] = []

    class Thief:
        def run(self, inputs: AttackInputs) -> None:
            seen.append(inputs.build().get_weights())
            inputs.on_epoch(1, lambda images: np.eye(2, dtype=np.float32)[[0, 0, 1, 1]])

    monkeypatch.setattr(stealing, "attack_of", lambda config: Thief())
    attack = replace(SPEC.attack, pretraining=POOL)
    found = labelled_images(POOL, (12, 12, 1))
    spec = replace(SPEC, attack=attack, pretraining=digest_arrays(found.images, found.labels))

    def cell() -> CellContent:
        return stealing.compute_cell(spec, inputs, tmp_path / "answers", ignore)

    first, second = cell(), cell()
    known, trained = run(seed=SPEC.attacker_seed, code=SPEC.code.student)
    assert trained == [SPEC.attacker_seed]
    assert first == second
    assert first["result"]["pretraining_accuracy"] == known.accuracy  # pyright: ignore[reportGeneralTypeIssues]
    for one, other in zip(*seen, strict=True):
        np.testing.assert_array_equal(one, other)
    for kept, wanted in zip(seen[0], known.weights, strict=False):
        np.testing.assert_array_equal(kept, wanted)
    assert len(seen[0]) == len(known.weights) + 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept"]
