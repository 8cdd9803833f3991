"""Makes TensorFlow repeatable, once per process and before it computes anything."""

import tensorflow as tf

from tinycerb.keras_models.legacy import keras


def make_repeatable(seed: int) -> None:
    """Seeds everything, asks for deterministic kernels, and allows one thread.

    One thread, because the order of a sum depends on how it is shared out: results must not change with the
    number of cores. Several models train side by side instead.
    """
    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        # TensorFlow is already running in this process, with the threads it has.
        pass
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)
