"""Masks hold, only shrink, and what they hold can be cut without a trace."""

import numpy as np
import pytest

from tests.compression.pruned import disturb, largest_difference, prune
from tinycerb.compression.importance import CRITERIA
from tinycerb.compression.masks import ChannelMasks, channels_to_keep
from tinycerb.datasets.images import LabelledImages
from tinycerb.defenses.base import no_terms
from tinycerb.errors import UsageError
from tinycerb.keras_models import BACKBONES, build_backbone
from tinycerb.keras_models.legacy import keras, named_layer
from tinycerb.keras_models.multi_head import attach_heads
from tinycerb.training.objective import LogitPredictor, TrainingStep

L = keras.layers
IMAGES = np.random.default_rng(0).integers(0, 256, (32, 28, 28, 1), dtype=np.uint8)


@pytest.fixture
def model() -> keras.Model:
    keras.utils.set_random_seed(1)
    model = attach_heads(build_backbone("demo_net", (28, 28, 1), 1.0), classes=10, heads=3)
    disturb(model)
    return model


@pytest.mark.parametrize(
    ("channels", "sparsity", "kept"),
    [(32, 0.5, 16), (16, 0.9, 4), (6, 0.5, 4), (3, 0.9, 3), (64, 0.0, 64), (40, 0.9, 4), (64, 0.51, 32)],
)
def test_kept_channels_are_multiples_of_four_and_never_none(channels: int, sparsity: float, kept: int) -> None:
    assert channels_to_keep(channels, sparsity) == kept


def test_the_schedule_ends_at_its_ratio_and_masks_only_shrink(model) -> None:
    masks = ChannelMasks(model, 0.5, begin_step=10, end_step=57)
    before = masks.kept()
    assert all(keep.all() for keep in before)
    for step in range(1, 58):
        masks.update(step)
        now = masks.kept()
        assert all((new <= old).all() for new, old in zip(now, before, strict=True))
        before = now
        if step < 10:
            assert all(keep.all() for keep in now)
    assert [int(keep.sum()) for keep in before] == [8, 16, 32, 32, 48]


def test_no_ratio_no_masks(model) -> None:
    masks = ChannelMasks(model, 0.0, 1, 10)
    masks.update(10)
    assert masks.kept() == []
    assert masks.kept_share() == 1.0


def test_surgery_is_exact(model) -> None:
    masks = ChannelMasks(model, 0.5, 1, 2)
    masks.update(2)
    masked = LogitPredictor(model)(IMAGES)
    slim = masks.cut()
    assert slim.count_params() < 0.35 * model.count_params()
    assert [layer.name for layer in slim.layers] == [layer.name for layer in model.layers]
    assert np.abs(LogitPredictor(slim)(IMAGES) - masked).max() < 1e-5
    assert np.abs(masked).max() > 0.01


def test_the_least_important_channels_go(model) -> None:
    weak = [1, 5, 9, 13, 2, 6, 10, 14]
    kernel = named_layer(model, "stem").get_weights()[0]
    kernel[..., weak] *= 1e-3
    named_layer(model, "stem").set_weights([kernel])
    masks = ChannelMasks(model, 0.5, 1, 2)
    masks.update(2)
    stem = next(keep for group, keep in zip(masks.groups, masks.kept(), strict=True) if "stem" in group.producers)
    assert np.flatnonzero(~stem).tolist() == sorted(weak)


def test_biases_and_missing_scales_are_masked_too() -> None:
    keras.utils.set_random_seed(3)
    image = L.Input((28, 28, 1))
    x = L.Conv2D(8, 3, use_bias=True, bias_initializer="ones", name="biased")(image)
    x = L.BatchNormalization(scale=False, beta_initializer="ones", moving_mean_initializer="ones")(x)
    x = L.DepthwiseConv2D(3, use_bias=True, bias_initializer="ones")(x)
    model = keras.Model(image, L.Dense(3)(L.GlobalAveragePooling2D()(x)))
    masks = ChannelMasks(model, 0.5, 1, 2)
    masks.update(2)
    slim = masks.cut()
    assert named_layer(slim, "biased").filters == 4
    assert np.abs(LogitPredictor(slim)(IMAGES) - LogitPredictor(model)(IMAGES)).max() < 1e-5


def test_a_depthwise_layer_behind_a_masked_one_keeps_no_constant(model) -> None:
    """A shift left over behind a depthwise layer would still reach the next convolution."""
    masks = ChannelMasks(model, 0.5, 1, 2)
    masks.update(2)
    (keep,) = (k for g, k in zip(masks.groups, masks.kept(), strict=True) if "stem" in g.producers)
    _, beta, _, _ = named_layer(model, "block1_depthwise_norm").get_weights()
    assert (beta[~keep] == 0).all()
    assert (beta[keep] != 0).all()


@pytest.mark.parametrize("name", BACKBONES)
@pytest.mark.parametrize("ratio", [0.3, 0.7])
def test_surgery_is_exact_on_every_backbone(name: str, ratio: float) -> None:
    keras.utils.set_random_seed(1)
    model = attach_heads(build_backbone(name, (32, 32, 3), 0.5), classes=10, heads=3, hidden_units=8)
    disturb(model)
    pruned = prune(model, ratio)
    assert pruned.slim.count_params() < (1 - ratio / 3) * model.count_params()
    assert largest_difference(pruned, images=4) == 0.0


@pytest.mark.parametrize("criterion", list(CRITERIA))
def test_every_criterion_drops_filters_that_do_nothing(model, criterion: str) -> None:
    weak = [1, 5, 9, 13, 2, 6, 10, 14]
    stem, norm = named_layer(model, "stem"), named_layer(model, "stem_norm")
    stem.kernel.assign(stem.kernel * np.where(np.isin(np.arange(16), weak), 1e-5, 1.0))
    for variable in (norm.gamma, norm.beta):
        variable.assign(variable * np.where(np.isin(np.arange(16), weak), 1e-5, 1.0))
    masks = ChannelMasks(model, 0.5, 1, 2, criterion=criterion)
    data = LabelledImages(IMAGES, np.arange(len(IMAGES), dtype=np.int32) % 10)
    step = TrainingStep(model, no_terms, data, IMAGES[:0], masks)
    # Steps that move nothing: some criteria want to have seen gradients.
    for batch in np.arange(len(IMAGES), dtype=np.int32).reshape(4, -1):
        step(batch, np.zeros(0, np.int32), 0.0, 0.0)
    masks.update(2)
    (keep,) = (k for g, k in zip(masks.groups, masks.kept(), strict=True) if "stem" in g.producers)
    assert np.flatnonzero(~keep).tolist() == sorted(weak)


def test_a_constant_schedule_prunes_at_once_and_multiples_of_eight_are_kept(model) -> None:
    masks = ChannelMasks(model, 0.5, 5, 100, schedule="constant", multiple=8)
    masks.update(4)
    assert masks.kept_share() == 1.0
    masks.update(5)
    assert [int(keep.sum()) for keep in masks.kept()] == [8, 16, 32, 32, 48]


def test_unknown_criteria_and_schedules_list_the_known(model) -> None:
    with pytest.raises(UsageError, match="known: constant, polynomial"):
        ChannelMasks(model, 0.5, 1, 2, schedule="linear")
    with pytest.raises(UsageError, match="known: l1, l2_scale, norm_scale"):
        ChannelMasks(model, 0.5, 1, 2, criterion="l3").update(2)
