"""TinyCerb: make small neural networks on microcontrollers hard to steal, and prove it."""

import os

__version__ = "0.1.0"

# TF-MOT accepts Keras 2 models only; TensorFlow decides at its first import which Keras it hands out.
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# One CPU, everywhere: results must not depend on whether a GPU happens to be there.
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
