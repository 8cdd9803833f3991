"""All heads in one layer, each with its own resolution."""

import numpy as np
import pytest

from tinycerb.converters.wide_head import Head, Hidden, widen


def heads_with_gains(gains) -> list[Head]:
    rng = np.random.default_rng(0)
    return [
        Head(
            (gain * rng.normal(size=(16, 10))).astype(np.float32),
            (gain * rng.normal(size=10)).astype(np.float32),
            gain * 12.0,
        )
        for gain in gains
    ]


def test_every_head_fills_the_common_range() -> None:
    heads = heads_with_gains([1, 20, 0.05, 3])
    wide = widen(heads)
    assert wide.output_range == 240.0
    features = np.random.default_rng(1).random((5, 16)).astype(np.float32)
    together = (features @ wide.kernel + wide.bias).reshape(5, 4, 10)
    for index, head in enumerate(heads):
        alone = features @ head.kernel + head.bias
        assert np.allclose(together[:, index] / wide.alphas[index], alone, rtol=1e-4, atol=1e-4 * head.output_range)
        assert wide.alphas[index] * head.output_range == pytest.approx(wide.output_range)


@pytest.mark.parametrize("output_range", [0.0, -1.0, float("nan"), float("inf")])
def test_a_range_must_be_positive(output_range: float) -> None:
    head = Head(np.ones((4, 2), np.float32), np.ones(2, np.float32), output_range)
    with pytest.raises(ValueError, match="head 0 has the output range"):
        widen([head])


def test_heads_of_different_shapes_and_none() -> None:
    first = heads_with_gains([1])[0]
    with pytest.raises(ValueError, match="expected one shape"):
        widen([first, Head(first.kernel[:, :5], first.bias[:5], 1.0)])
    with pytest.raises(ValueError, match="no heads"):
        widen([])


def test_hidden_layers_are_scaled_to_a_common_range_and_stay_apart() -> None:
    rng = np.random.default_rng(0)
    heads = []
    for gain, units in ((1.0, 8), (30.0, 8), (0.1, 4)):
        hidden = Hidden(gain * rng.normal(size=(16, units)), gain * rng.normal(size=units), 9.0 * gain)
        heads.append(Head(rng.normal(size=(units, 5)), rng.normal(size=5), 7.0 * gain, hidden))
    wide = widen(heads)
    assert wide.hidden is not None
    assert wide.hidden.output_range == pytest.approx(270.0)
    assert wide.kernel.shape == (20, 15)
    assert np.count_nonzero(wide.kernel) == 8 * 5 + 8 * 5 + 4 * 5
    features = rng.random((6, 16))
    together = np.maximum(features @ wide.hidden.kernel + wide.hidden.bias, 0) @ wide.kernel + wide.bias
    for index, head in enumerate(heads):
        assert head.hidden is not None
        alone = np.maximum(features @ head.hidden.kernel + head.hidden.bias, 0) @ head.kernel + head.bias
        assert np.allclose(together[:, 5 * index : 5 * index + 5] / wide.alphas[index], alone, rtol=1e-4, atol=1e-3)


def test_hidden_layers_all_or_none() -> None:
    plain = Head(np.ones((4, 2)), np.ones(2), 1.0)
    deep = Head(np.ones((4, 2)), np.ones(2), 1.0, Hidden(np.ones((8, 4)), np.ones(4), 1.0))
    with pytest.raises(ValueError, match="1 of 2 heads have a hidden layer"):
        widen([plain, deep])
    with pytest.raises(ValueError, match="hidden layer of head 0 has the output range 0"):
        widen([Head(np.ones((4, 2)), np.ones(2), 1.0, Hidden(np.ones((8, 4)), np.ones(4), 0.0))])
