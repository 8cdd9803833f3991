"""Augmentations: what each does to images, and that it depends on what is drawn for the step alone."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tinycerb.compression.pruner import NothingPruned
from tinycerb.config import load_config
from tinycerb.datasets.images import LabelledImages
from tinycerb.datasets.procedural import generate
from tinycerb.errors import UsageError
from tinycerb.keras_models.legacy import keras
from tinycerb.training.augmentation import AUGMENTATIONS, augment, check_reach, parse_augmentation
from tinycerb.training.augmentation.handling import stored
from tinycerb.training.objective import TrainingStep
from tinycerb.training.recipe import Recipe
from tinycerb.workflow.work import load_inputs

IMAGES = np.random.default_rng(3).uniform(0.1, 0.9, (6, 12, 10, 3)).astype(np.float32)


def apply(text: str, uniform: list[float], images: np.ndarray = IMAGES) -> np.ndarray:
    """One augmentation with the same numbers for every image."""
    (chosen,) = parse_augmentation(text)
    return np.asarray(chosen(tf.constant(images), tf.constant([uniform] * len(images), tf.float32)))


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_images_keep_their_shape_and_range_and_depend_on_the_draw_alone(name: str) -> None:
    chain = parse_augmentation(name)
    images = np.random.default_rng(4).uniform(0, 1, (32, 12, 10, 1)).astype(np.float32)
    first, again, other = (
        np.asarray(augment(chain, tf.constant(images), tf.constant(draw))) for draw in ([5, 1], [5, 1], [5, 2])
    )
    assert first.shape == images.shape
    assert first.dtype == np.float32
    assert 0 <= first.min() <= first.max() <= 1
    assert (first == again).all()
    assert (first != other).any()
    assert (first != images).any()


def test_a_flip_mirrors_below_one_half() -> None:
    assert (apply("flip", [0.49]) == IMAGES[:, :, ::-1]).all()
    assert (apply("flip", [0.5]) == IMAGES).all()


@pytest.mark.parametrize(("padding", "edge"), [("zero", 0.0), ("edge", 1.0)])
def test_a_shift_moves_by_whole_pixels(padding: str, edge: float) -> None:
    moved = apply(f"shift,pixels=2,padding={padding}", [0.99, 0.0])
    assert (moved[:, :10, 2:] == IMAGES[:, 2:, :8]).all()
    assert (moved[:, 10:, 2:] == edge * IMAGES[:, -1:, :8]).all()
    assert (moved[:, :10, :2] == edge * IMAGES[:, 2:, :1]).all()
    assert (apply("shift,pixels=2", [0.5, 0.5]) == IMAGES).all()


def test_every_shift_is_as_likely_as_any_other() -> None:
    line = np.zeros((5000, 9, 9, 1), np.float32)
    line[:, 4, 4] = 1
    moved = np.asarray(augment(parse_augmentation("shift,pixels=2"), tf.constant(line), tf.constant([1, 1])))
    counts = moved.sum(axis=0)[2:7, 2:7, 0]
    assert counts.sum() == 5000
    assert 140 < counts.min() <= counts.max() < 260


def test_an_affine_turns_about_the_centre() -> None:
    square = IMAGES[:, :10]
    assert np.allclose(apply("affine,degrees=90,zoom=0", [1.0, 0.5], square), np.rot90(square, axes=(1, 2)), atol=1e-4)
    assert np.allclose(apply("affine", [0.5, 0.5], square), square, atol=1e-5)
    disc = np.zeros((1, 21, 21, 1), np.float32)
    disc[:, 7:14, 7:14] = 1
    larger, smaller = (apply("affine,zoom=0.4", [0.5, side], disc).sum() for side in (1.0, 0.0))
    assert larger == pytest.approx(49 * 1.4**2, rel=0.1)
    assert smaller == pytest.approx(49 * 0.6**2, rel=0.1)


def test_a_cutout_covers_a_square_and_less_at_the_edge() -> None:
    covered = apply("cutout,size=4", [0.5, 0.5]) == 0.5
    assert covered.all(axis=3).sum(axis=(1, 2)).tolist() == [16] * 6
    assert (apply("cutout,size=4", [0.0, 0.0]) == 0.5).all(axis=3).sum(axis=(1, 2)).tolist() == [4] * 6


def test_brightness_and_contrast_are_about_the_mean() -> None:
    lighter = apply("brightness,amount=0.1,contrast=0", [1.0, 0.5])
    assert np.allclose(lighter, np.minimum(IMAGES + 0.1, 1), atol=1e-6)
    flat = apply("brightness,amount=0,contrast=1", [0.5, 0.0])
    assert np.allclose(flat, IMAGES.mean(axis=(1, 2, 3), keepdims=True), atol=1e-6)


def test_colours_change_each_for_itself() -> None:
    uniform = [1.0, 0.0, 0.5, *[0.5] * 13]
    assert np.allclose(apply("colour,amount=0.1", uniform), np.minimum(IMAGES * [1.1, 0.9, 1.0], 1), atol=1e-6)


def test_focus_softens_and_sharpens_and_leaves_what_is_flat() -> None:
    def roughness(images: np.ndarray) -> float:
        return float(np.abs(np.diff(images, axis=2)).mean())

    soft, same, sharp = (apply("focus", [number]) for number in (1.0, 0.5, 0.0))
    assert np.allclose(same, IMAGES, atol=1e-6)
    assert roughness(soft) < 0.8 * roughness(IMAGES) < roughness(IMAGES) < 0.9 * roughness(sharp)
    flat = np.full((1, 12, 10, 3), 0.3, np.float32)
    assert np.allclose(apply("focus", [1.0], flat), flat, atol=1e-6)


@pytest.mark.parametrize("quality", [30, 75, 95])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_what_a_jpeg_file_keeps_is_what_one_gives_back(quality: int, mode: str) -> None:
    things = generate(["things"], 24, np.zeros((1, 28, 36, 3), np.uint8), seed=1)
    pictures = [Image.fromarray(each).convert(mode) for each in things]
    files = [io.BytesIO() for _ in pictures]
    for picture, file in zip(pictures, files, strict=True):
        picture.save(file, "JPEG", quality=quality, subsampling=2)
    shape = (len(pictures), 28, 36, len(mode))
    before = np.stack([np.asarray(each) for each in pictures]).reshape(shape) / 255
    wanted = np.stack([np.asarray(Image.open(file)) for file in files]).reshape(shape) / 255
    found = np.asarray(stored(tf.constant(before, tf.float32), tf.fill([len(pictures)], float(quality))))
    # Files hold whole numbers, and decoders smooth between the halved differences of colour.
    lost = np.abs(wanted - before).mean()
    assert np.abs(found - wanted).mean() < (0.6 * lost if mode == "RGB" else 0.004)


def test_jpeg_changes_its_share_and_nothing_else() -> None:
    assert (apply("jpeg,share=0.3", [0.3, 0.5, 0.5]) == IMAGES).all()
    small, large = apply("jpeg,share=0.3", [0.29, 0.0, 0.9]), apply("jpeg,share=0.3", [0.29, 0.0, 0.1])
    better = apply("jpeg,share=0.3", [0.29, 1.0, 0.9])
    lost = [float(np.abs(images - IMAGES).mean()) for images in (small, large, better)]
    assert lost[0] > lost[2] > 0
    assert 0 < lost[1] < lost[0]


def test_a_time_shift_repeats_the_frame_at_the_edge() -> None:
    moved = apply("time_shift,frames=3", [0.0])
    assert (moved[:, 3:] == IMAGES[:, :-3]).all()
    assert (moved[:, :3] == IMAGES[:, :1]).all()


@pytest.mark.parametrize(("text", "axis"), [("time_mask,frames=4", 1), ("frequency_mask,bins=4", 2)])
def test_a_mask_hides_up_to_so_much(text: str, axis: int) -> None:
    mean = IMAGES.mean(axis=(1, 2, 3), keepdims=True)
    hidden = np.isclose(apply(text, [0.99, 0.5]), mean).all(axis=(3, 3 - axis))
    assert hidden.sum(axis=1).tolist() == [4] * 6
    assert (apply(text, [0.0, 0.5]) == IMAGES).all()


def test_parts_of_a_chain_draw_for_themselves_and_in_their_order() -> None:
    chain = parse_augmentation("flip+shift,pixels=2")
    draw = tf.constant([1, 2])
    uniform = tf.random.stateless_uniform([len(IMAGES), 3], draw)
    expected = chain[1](chain[0](tf.constant(IMAGES), uniform[:, :1]), uniform[:, 1:])
    assert (np.asarray(augment(chain, tf.constant(IMAGES), draw)) == np.asarray(expected)).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("flop", "unknown augmentation 'flop' (did you mean 'flip'?)"),
        ("shift,pixel=3", "augmentation 'shift' has no option 'pixel' (did you mean 'pixels'?)"),
        ("shift,pixels=0", "augmentation 'shift': option pixels is 0; allowed: 1 to 64"),
        ("flip+time_mask", "is for pictures and for spectrograms; allowed: of one kind (pictures: affine, brightness"),
    ],
)
def test_what_does_not_exist_or_fit_is_told(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_augmentation(text)
    assert message in str(caught.value)


def test_what_would_hide_a_whole_image_is_told() -> None:
    check_reach(parse_augmentation("shift,pixels=9+cutout,size=9"), (12, 10, 1))
    with pytest.raises(UsageError, match="shift reaches over 10 columns; allowed: 1 to 9"):
        check_reach(parse_augmentation("shift,pixels=10"), (12, 10, 1))


def test_a_run_tells_it_before_it_trains() -> None:
    with pytest.raises(UsageError, match="cutout reaches over 28 rows; allowed: 1 to 27"):
        load_inputs(load_config("smoke", ["training.augmentation=cutout,size=28"]))


def test_all_images_of_a_step_are_augmented() -> None:
    """Else the changes themselves tell the task's images from the others, and unchanged ones pass for foreign."""
    data = LabelledImages((IMAGES * 255).astype(np.uint8), np.arange(6, dtype=np.int32) % 2)
    other = (IMAGES[::-1] * 255).astype(np.uint8)
    image = keras.layers.Input((12, 10, 3))
    model = keras.Model(image, keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(image)))

    def changes(batch) -> list[tf.Tensor]:
        drawn = tf.cast(tf.gather(tf.constant(other), batch.other_indices), tf.float32) / 255.0
        task = tf.cast(tf.constant(data.images[:4]), tf.float32) / 255.0
        return [tf.reduce_max(tf.abs(batch.other_images - drawn)), tf.reduce_max(tf.abs(batch.images - task))]

    for text, is_changed in (("brightness", True), ("", False)):
        recipe = Recipe(augmentation=parse_augmentation(text))
        for part in range(2):
            step = TrainingStep(
                model,
                lambda batch, part=part: changes(batch)[part : part + 1],
                data,
                other,
                NothingPruned(),
                recipe=recipe,
            )
            _, change = step(
                np.arange(4, dtype=np.int32), np.array([2, 0], np.int32), 1e-3, 0.0, np.array([1, 1], np.int32)
            )
            assert (change > 0.01) is is_changed
            # A difference of rounding alone.
            assert (change < 1e-6) is not is_changed
