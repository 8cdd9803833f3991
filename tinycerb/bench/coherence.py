"""How much the heads of an int8 file say the same about images that are not of the task."""

import numpy as np

from tinycerb.config import Config
from tinycerb.datasets.images import Dataset
from tinycerb.datasets.procedural import FAMILIES, generate
from tinycerb.runtimes.answering import Answers
from tinycerb.runtimes.running_model import RunningModel

_IMAGES = 1000
# Far from the seeds of any defender's own images.
_SEED_OFFSET = 500_000


def measure_coherence(model: RunningModel, config: Config, dataset: Dataset) -> dict[str, object] | None:
    """Asks every head about fresh procedural images, of the families of training and of those that it never saw.

    Returns:
        `cosine`, mean over images and pairs of heads of the cosine of their posteriors; `label_agreement`, the share
        of images for which two heads give the same label; and the families. The same under `held_out`, None where no
        family is. None where one head answers.
    """
    if Answers(model.artifact).heads == 1:
        return None
    trained = tuple(sorted(config.out_of_distribution.families))
    others = tuple(name for name in FAMILIES if name not in trained)
    held_out = _coherence_on(others, model, config, dataset) if others else None
    return {**_coherence_on(trained, model, config, dataset), "held_out": held_out}


def _coherence_on(
    families: tuple[str, ...], model: RunningModel, config: Config, dataset: Dataset
) -> dict[str, object]:
    images = generate(families, _IMAGES, dataset.train.images, config.seed + _SEED_OFFSET)
    quantized = model.artifact.quantize(images)
    codes = Answers(model.artifact).of_all(quantized, model.all_heads(quantized))
    return {"images": len(images), "families": list(families), **pairwise_coherence(codes)}


def pairwise_coherence(codes: np.ndarray) -> dict[str, float]:
    """Compares heads pair by pair.

    Args:
        codes: posteriors, uint8 [N, heads, classes], two heads or more.

    Returns:
        `cosine` and `label_agreement`, both 0..1, means over all images and unordered pairs of heads.
    """
    posteriors = codes.astype(np.float64)
    posteriors /= np.maximum(np.linalg.norm(posteriors, axis=2, keepdims=True), 1e-12)
    pairs = np.triu_indices(codes.shape[1], 1)
    cosine = np.einsum("nic,njc->nij", posteriors, posteriors)[:, *pairs]
    labels = codes.argmax(axis=2)
    same = (labels[:, :, np.newaxis] == labels[:, np.newaxis, :])[:, *pairs]
    return {"cosine": float(cosine.mean()), "label_agreement": float(same.mean())}
