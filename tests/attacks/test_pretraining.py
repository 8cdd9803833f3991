"""Students from public weights: what they learn of labelled images, what they keep of it, and what stays new."""

from functools import partial

import numpy as np
import pytest

from tinycerb.attacks.building_blocks.pretraining import PretrainingRecipe, pretrain, start_from, weights_of_body
from tinycerb.attacks.building_blocks.students import STUDENTS
from tinycerb.datasets.images import LabelledImages
from tinycerb.errors import UsageError
from tinycerb.events import ignore
from tinycerb.keras_models.legacy import keras

# Dark, grey and bright: three classes that anything learns.
LABELS = np.arange(120, dtype=np.int32) % 3
NOISE = np.random.default_rng(2).integers(0, 60, (120, 12, 12, 1))
IMAGES = (NOISE + 90 * LABELS[:, None, None, None]).astype(np.uint8)
PHOTOGRAPHS = LabelledImages(IMAGES, LABELS)
RECIPE = PretrainingRecipe(epochs=8, batch_size=16, held_out=5)


@pytest.mark.parametrize("student", ["lenet", "batchnorm_cnn"])
def test_a_student_learns_labels_and_keeps_all_but_its_last_layer(student: str) -> None:
    keras.utils.set_random_seed(1)
    build = partial(STUDENTS[student], (12, 12, 1))
    found = pretrain(build, PHOTOGRAPHS, 1, ignore, RECIPE)
    assert found.accuracy > 0.9
    # As many classes as there are labels: the shape alone does not say which layer names them.
    thief = build(3)
    last = [variable.numpy() for variable in thief.layers[-1].weights]
    start_from(found.weights, thief)
    for variable, wanted in zip(weights_of_body(thief), found.weights, strict=True):
        np.testing.assert_array_equal(variable.numpy(), wanted)
    for variable, before in zip(thief.layers[-1].weights, last, strict=True):
        np.testing.assert_array_equal(variable.numpy(), before)
    # Statistics of batch normalisation are carried over, too.
    assert len(found.weights) == len(thief.weights) - 2


def test_the_seed_repeats_a_pretraining() -> None:
    def weights() -> np.ndarray:
        keras.utils.set_random_seed(4)
        recipe = PretrainingRecipe(epochs=1, batch_size=16, held_out=5)
        found = pretrain(partial(STUDENTS["lenet"], (12, 12, 1)), PHOTOGRAPHS, 4, ignore, recipe)
        return np.concatenate([array.ravel() for array in found.weights])

    np.testing.assert_array_equal(weights(), weights())


def test_a_network_whose_last_layer_does_not_make_the_logits_is_refused() -> None:
    image = keras.layers.Input((4, 4, 1))
    logits = keras.layers.Dense(3)(keras.layers.Flatten()(image))
    alone = keras.Model(image, logits, name="alone")
    behind = keras.Model(image, keras.layers.Reshape((3,))(logits), name="behind")
    for student in (alone, behind):
        with pytest.raises(UsageError, match=f"student {student.name} cannot be pretrained: its last layer"):
            pretrain(lambda classes, student=student: student, PHOTOGRAPHS, 1, ignore, RECIPE)


def test_weights_of_another_network_are_refused() -> None:
    found = [variable.numpy() for variable in weights_of_body(STUDENTS["lenet"]((12, 12, 1), 3))]
    with pytest.raises(UsageError, match="cannot start from weights of another network"):
        start_from(found, STUDENTS["lenet"]((16, 16, 1), 3))
