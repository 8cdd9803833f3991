"""The wide head as a 1x1 convolution: every class has a weight scale of its own.

A fully connected layer written by quantization-aware training has one weight scale for all heads. A head whose weights
are small beside the widest head's, at the same output range, is then coarse. A convolution has one scale per output
channel, costs about 40 bytes per class more in the file, and runs at the same speed.
"""

import numpy as np
import tensorflow as tf

from tinycerb.converters.wide_head import WideHead


def convolution_logits(features: tf.Tensor, wide: WideHead) -> tf.Tensor:
    """Computes all heads from fake-quantized features.

    Args:
        features: float [1, features].
        wide: the heads side by side.

    Returns:
        float [1, 1, 1, heads * classes], before the output's own quantization.
    """
    # A class whose weights are all zero still needs a range.
    largest = np.maximum(np.abs(wide.kernel).max(axis=0), np.float32(1e-6))
    pixels = tf.reshape(features, [1, 1, 1, wide.kernel.shape[0]])
    # The same on a matrix product does not convert: "mismatched quantized axes".
    kernel = tf.quantization.fake_quant_with_min_max_vars_per_channel(
        wide.kernel[np.newaxis, np.newaxis], -largest, largest, narrow_range=True
    )
    return tf.nn.conv2d(pixels, kernel, 1, "VALID") + wide.bias
