"""The gate on accuracy: what does each head lose from the trained model to the int8 file?"""

from pathlib import Path

import numpy as np

from tinycerb.errors import GateError
from tinycerb.keras_models.legacy import keras
from tinycerb.keras_models.multi_head import head_name
from tinycerb.runtimes.engines import default_runtime
from tinycerb.runtimes.isolated import head_inputs, run_model
from tinycerb.runtimes.model_artifact import ModelArtifact
from tinycerb.training.objective import LogitPredictor

_MOST_IMAGES = 1000


def check_accuracy(
    model: keras.Model,
    path: Path,
    artifact: ModelArtifact,
    images: np.ndarray,
    labels: np.ndarray | None,
    max_drop: float | None,
) -> list[float]:
    """Compares every head on the same images; the reference kernels run the file.

    Args:
        model: the trained model.
        path: where the file lies that was made of it.
        artifact: the file.
        images: uint8 [N, height, width, channels]; the first thousand are used.
        labels: whole numbers [N], or None, and then nothing is compared.
        max_drop: points that a head may lose, or None for no gate.

    Returns:
        Points lost per head; below 0 where the file is better.

    Raises:
        GateError: a head loses more; the message names its layer.
    """
    if labels is None or max_drop is None:
        return []
    images, labels = images[:_MOST_IMAGES], labels[:_MOST_IMAGES]
    before = LogitPredictor(model)(images)
    codes = artifact.quantize(images)
    run = run_model(path, head_inputs(codes, artifact.heads), default_runtime())
    after = run.outputs["logits"].reshape(len(images), artifact.heads, artifact.classes)
    drops = []
    # Where a response makes one answer of all heads, those behind the first need not tell the classes apart.
    for head in range(1 if artifact.card.combined_by else artifact.heads):
        trained = float((before[:, head].argmax(axis=1) == labels).mean())
        converted = float((after[:, head].argmax(axis=1) == labels).mean())
        drops.append(100 * (trained - converted))
        if drops[-1] > max_drop:
            raise GateError(
                f"layer {head_name(head)!r} of {artifact.card.victim}: accuracy falls from {trained:.1%} to "
                f"{converted:.1%} by conversion ({drops[-1]:.1f} points; allowed: {max_drop:g}), "
                f"on {len(images)} images"
            )
    return drops
