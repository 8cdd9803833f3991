"""Teachers without TensorFlow are those of training, and those of other keys are drawn alike."""

import stat
from pathlib import Path

import numpy as np
import pytest

from tinycerb.bench.cell_inputs import TeacherRecipe
from tinycerb.datasets.procedural import generate
from tinycerb.defenses.losses.random_teachers import fit_teachers
from tinycerb.errors import EnvironmentProblem
from tinycerb.ownership.owner_key import OwnerKey
from tinycerb.ownership.questions import Questions, draw_questions
from tinycerb.verification.by_secret import explanation
from tinycerb.verification.make_teachers import fit_all
from tinycerb.verification.teachers import BLOCK, BLOCKS, Teachers, read_teachers, write_teachers

FAMILIES = ("strokes", "gratings", "shades", "spectral_noise")
SHAPE = (10, 13, 1)
KEY = OwnerKey(bytes(range(32)))


@pytest.fixture(scope="module")
def recipe() -> TeacherRecipe:
    return TeacherRecipe(1, generate(FAMILIES, 600, np.zeros((1, *SHAPE), np.uint8), 4), None)


@pytest.fixture(scope="module")
def teachers(recipe: TeacherRecipe) -> Teachers:
    return fit_all(recipe, 5, 4, KEY.words("teachers"))


@pytest.fixture(scope="module")
def questions() -> Questions:
    return draw_questions(KEY, 1, 80, FAMILIES, SHAPE)


def test_mine_is_the_teacher_of_training(recipe: TeacherRecipe, teachers: Teachers, questions: Questions) -> None:
    (trained_with,) = fit_teachers(recipe.drawn, 1, 5, 4, None, KEY.words("teachers"))
    said = trained_with(questions.images)
    assert teachers.mine(questions).tolist() == said.argmax(axis=1).tolist()
    assert len(np.unique(said.argmax(axis=1))) > 2


def test_teachers_that_keep_apart_are_read_from_what_is_left(questions: Questions, recipe: TeacherRecipe) -> None:
    posteriors = np.random.default_rng(1).dirichlet(np.ones(5), len(recipe.drawn))
    apart = fit_all(TeacherRecipe(1, recipe.drawn, posteriors), 5, 4, KEY.words("teachers"))
    (trained_with,) = fit_teachers(recipe.drawn, 1, 5, 4, posteriors, KEY.words("teachers"))
    assert apart.mine(questions).tolist() == trained_with(questions.images).argmax(axis=1).tolist()


def test_there_are_ten_thousand_of_which_one_is_mine(teachers: Teachers, questions: Questions) -> None:
    others = teachers.others(questions)
    assert others.shape == (BLOCKS * BLOCK - 1, 80) == (9999, 80)
    assert (others == teachers.others(questions)).all()
    # Other keys' teachers say every class about as often, and hardly ever what mine says.
    assert np.bincount(others.ravel()) / others.size == pytest.approx(np.full(5, 0.2), abs=0.03)
    assert (others == teachers.mine(questions)).mean() == pytest.approx(0.2, abs=0.04)
    assert (others == teachers.mine(questions)).all(axis=1).sum() == 0


def test_a_copy_of_the_teacher_has_the_least_p_and_another_key_s_teacher_a_common_one(
    recipe: TeacherRecipe, teachers: Teachers, questions: Questions
) -> None:
    mine, others = teachers.mine(questions), teachers.others(questions)
    found = explanation(mine, mine, others, questions.kinds)
    assert (found.p, found.bound, found.explained) == (1e-4, 1e-4, 1.0)
    p = []
    for byte in range(8):
        (stranger,) = fit_teachers(recipe.drawn, 1, 5, 4, None, OwnerKey(bytes([byte]) * 32).words("teachers"))
        p.append(explanation(stranger(questions.images).argmax(axis=1), mine, others, questions.kinds).p)
    assert min(p) > 0.005
    assert 0.1 < np.mean(p) < 0.9


def test_the_file_beside_the_key_is_its_owner_s(teachers: Teachers, questions: Questions, tmp_path: Path) -> None:
    file = tmp_path / "owner.key.teachers-00000000.npz"
    write_teachers(file, teachers)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (read_teachers(file).others(questions) == teachers.others(questions)).all()
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    file.chmod(0o644)
    with pytest.raises(EnvironmentProblem, match=rf"others can read the teacher .*; mend it with: chmod 600 {file}"):
        read_teachers(file)
    file.chmod(0o600)
    np.savez(file, maps=np.zeros(3))
    with pytest.raises(EnvironmentProblem, match="lacks 'centres'; delete it, and it is made again"):
        read_teachers(file)
