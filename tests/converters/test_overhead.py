"""What TinyCerb's own part of a conversion costs, beside TensorFlow's converter."""

import os

import numpy as np
import tensorflow as tf

from tinycerb.compression.quantization import quantize_aware
from tinycerb.conversion.from_run import convert_model
from tinycerb.conversion.trained_model import from_quantization_aware
from tinycerb.events import ignore
from tinycerb.keras_models import build_backbone
from tinycerb.keras_models.multi_head import attach_heads
from tinycerb.runtimes.model_card import ModelDescription


def processor_seconds() -> float:
    """Of this process and of its children: a wall clock would measure the other work of the machine, too."""
    return sum(os.times()[:4])


def test_conversion_costs_less_than_three_seconds_on_top(monkeypatch, tmp_path, record_property) -> None:
    """Head layouts, tracing, verifier, contract, two interpreters with golden vectors, what lies beside the file."""
    model = quantize_aware(attach_heads(build_backbone("demo_net", (28, 28, 1), 1.0), classes=10, heads=3))
    images = np.random.default_rng(0).integers(0, 256, (128, 28, 28, 1), dtype=np.uint8)
    converter, spent = tf.lite.TFLiteConverter, []
    original = converter.convert

    def timed(self) -> bytes:
        start = processor_seconds()
        content = original(self)
        spent.append(processor_seconds() - start)
        return content

    monkeypatch.setattr(converter, "convert", timed)
    description = ModelDescription(victim="demo_net", image_shape=(28, 28, 1))
    start = processor_seconds()
    bundle = convert_model(from_quantization_aware(model, 3), description, images, tmp_path, ignore)
    overhead = processor_seconds() - start - spent[0]
    record_property("overhead_processor_seconds", overhead)
    record_property("converter_processor_seconds", spent[0])
    assert len(spent) == 1
    assert bundle.card.file_bytes > 50_000
    assert overhead < 3
