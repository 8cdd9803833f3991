"""TinyCerb: make small neural networks on microcontrollers hard to steal, and prove it."""

__version__ = "0.1.0"
