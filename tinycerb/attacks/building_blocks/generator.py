"""The image generator of data-free attacks, and its gradient step."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tinycerb.keras_models.legacy import keras

_NARROWEST = 32


def build_generator(image_shape: tuple[int, ...], latent: int, offset: float = 0.0) -> keras.Model:
    """Builds the generator of MAZE, DFME and DisGUIDE at half its width (64 and 32 channels, not 128 and 64).

    Dense to a quarter of the image's size, batch normalisation, then twice: up by two, 3x3 convolution, batch
    normalisation, leaky ReLU 0.2; a last 3x3 convolution and batch normalisation with scale and shift. At
    28x28x1 with 128 latent dimensions it has 460,772 parameters.

    Args:
        image_shape: height, width, channels.
        latent: dimensions of the noise.
        offset: what is added in the end; below 0, images start dark.

    Returns:
        Noise [N, latent] to what stands before the tanh, [N, height, width, channels].
    """
    height, width, channels = image_shape
    low, narrow = ((height + 3) // 4, (width + 3) // 4), _NARROWEST
    noise = keras.layers.Input((latent,))
    x = keras.layers.Dense(low[0] * low[1] * 2 * narrow)(noise)
    x = keras.layers.Reshape((*low, 2 * narrow))(x)
    x = keras.layers.BatchNormalization(momentum=0.9)(x)
    for filters in (2 * narrow, narrow):
        x = keras.layers.UpSampling2D()(x)
        x = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = keras.layers.LeakyReLU(0.2)(keras.layers.BatchNormalization(momentum=0.9)(x))
    x = keras.layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
    x = keras.layers.Cropping2D(((0, 4 * low[0] - height), (0, 4 * low[1] - width)))(x)
    x = keras.layers.BatchNormalization(momentum=0.9)(x)
    return keras.Model(noise, keras.layers.Rescaling(1.0, offset)(x))


def to_unit_range(before_tanh: tf.Tensor | np.ndarray) -> tf.Tensor:
    """Returns images in 0..1, which is what networks here take."""
    return (tf.tanh(before_tanh) + 1) / 2


def to_codes(before_tanh: np.ndarray) -> np.ndarray:
    """Returns images as a device takes them, uint8."""
    return np.rint((np.tanh(before_tanh) + 1) * 127.5).astype(np.uint8)


class Generator:
    """A generator with its optimiser; every step and sample draws fresh noise."""

    def __init__(
        self, image_shape: tuple[int, ...], latent: int, learning_rate: float, offset: float, seed: int
    ) -> None:
        """Builds it.

        Args:
            image_shape: height, width, channels.
            latent: dimensions of the noise.
            learning_rate: of its Adam.
            offset: where its images start, before the tanh.
            seed: of the noise.
        """
        self._network = build_generator(image_shape, latent, offset)
        self._latent = latent
        self._random = np.random.default_rng([seed, 3])
        self._optimizer = keras.optimizers.Adam(learning_rate)
        self._optimizer.build(self._network.trainable_variables)
        self._forward = tf.function(lambda noise: self._network(noise, training=True), reduce_retracing=True)
        self._steps: dict[Callable, Callable] = {}

    def noise(self, images: int) -> np.ndarray:
        """Returns standard normal noise, float32 [images, latent]."""
        return self._random.standard_normal((images, self._latent), np.float32)

    def before_tanh(self, noise: np.ndarray) -> np.ndarray:
        """Returns what stands before the tanh, float32 [N, height, width, channels]."""
        return self._forward(noise).numpy()

    def images(self, count: int) -> np.ndarray:
        """Returns fresh images, uint8 [count, height, width, channels]."""
        # Batch statistics of one or two images would say nothing.
        return to_codes(self.before_tanh(self.noise(max(count, 8))))[:count]

    def minimise(self, loss: Callable[..., tf.Tensor], noise: np.ndarray, *facts: np.ndarray) -> float:
        """Takes one step down.

        Args:
            loss: (what stands before the tanh, *facts) to a scalar; the same function is compiled once.
            noise: float32 [N, latent].
            facts: further arrays that the loss wants.

        Returns:
            The loss before the step.
        """
        if loss not in self._steps:
            self._steps[loss] = self._compile(loss)
        return float(self._steps[loss](noise, *facts))

    def _compile(self, loss: Callable[..., tf.Tensor]) -> Callable:
        variables = self._network.trainable_variables

        @tf.function(reduce_retracing=True)
        def step(noise, *facts):
            with tf.GradientTape() as tape:
                value = loss(self._network(noise, training=True), *facts)
            self._optimizer.apply_gradients(zip(tape.gradient(value, variables), variables, strict=True))
            return value

        return step
