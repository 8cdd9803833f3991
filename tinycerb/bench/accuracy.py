"""How well the int8 file does its task: every head, and what a user of random heads gets."""

import numpy as np

from tinycerb.datasets.images import LabelledImages
from tinycerb.events import OnProgress
from tinycerb.reports.metrics import MeasuredAccuracy
from tinycerb.runtimes.answering import Answers
from tinycerb.runtimes.interpreter_model import OPTIMISED_KERNELS, open_interpreter
from tinycerb.runtimes.running_model import RunningModel

_COMPARED_IMAGES = 500


def measure_accuracy(
    model: RunningModel, test: LabelledImages, on_progress: OnProgress
) -> tuple[MeasuredAccuracy, np.ndarray]:
    """Runs the test set.

    Returns:
        The figures, and the expected answer to each image, the mean over all heads: float64 [N, classes] in 0..1.
    """
    images = model.artifact.quantize(test.images)
    logits = model.all_heads(images, on_progress)
    codes = Answers(model.artifact).of_all(images, logits)
    labels = codes.argmax(axis=2)
    correct = labels == test.labels[:, np.newaxis]
    per_head = correct.mean(axis=0)
    classes = codes.shape[2]
    votes = (labels[:, :, np.newaxis] == np.arange(classes)).mean(axis=1)
    expected = codes.mean(axis=1) / 256
    confusion = np.zeros((classes, classes))
    np.add.at(confusion, test.labels, votes)
    agreement = (labels[:, :, np.newaxis] == labels[:, np.newaxis, :]).mean(axis=0)
    return {
        "engine": model.engine.facts(),
        "test_images": len(test.images),
        "accuracy_per_head": per_head.tolist(),
        "accuracy_expected": float(per_head.mean()),
        # Of the network alone, row by row of its file: what quantization has left, whatever the response changes.
        "accuracy_before_response": (logits.argmax(axis=2) == test.labels[:, np.newaxis]).mean(axis=0).tolist(),
        "accuracy_worst_head": float(per_head.min()),
        "accuracy_mean_head": float((expected.argmax(axis=1) == test.labels).mean()),
        # Two questions about the same image: how often do their labels differ? Keyed heads never do.
        "flip_rate": float(1 - np.square(votes).sum(axis=1).mean()) if model.artifact.selection == "random" else 0.0,
        "head_agreement": agreement.tolist(),
        # Mean over pairs of different heads; one head agrees with itself.
        "head_agreement_mean": float(agreement[np.triu_indices(len(agreement), 1)].mean())
        if len(agreement) > 1
        else 1.0,
        "calibration_error": calibration_error(codes, correct),
        "confusion_expected": confusion.round(4).tolist(),
    }, expected


def labels_of(model: RunningModel, images: np.ndarray) -> np.ndarray:
    """Returns the label of each head that may answer, int64 [N, heads], for uint8 images."""
    quantized = model.artifact.quantize(images)
    return Answers(model.artifact).of_all(quantized, model.all_heads(quantized)).argmax(axis=2)


def calibration_error(codes: np.ndarray, correct: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error of the answers' top code, over all heads, in equal-width bins.

    Args:
        codes: uint8 [N, heads, classes].
        correct: bool [N, heads].
        bins: number of bins of confidence.
    """
    confidence = codes.max(axis=2).ravel() / 256
    right = correct.ravel().astype(np.float64)
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    counts = np.bincount(bin_of, minlength=bins)
    gaps = np.abs(np.bincount(bin_of, confidence, bins) - np.bincount(bin_of, right, bins))
    return float(gaps.sum() / max(counts.sum(), 1))


def compare_kernels(model: RunningModel, images: np.ndarray) -> dict[str, object]:
    """Counts where the optimised kernels differ from the reference ones: information, not a contract."""
    quantized = model.artifact.quantize(images[:_COMPARED_IMAGES])
    opened = open_interpreter(model.artifact, OPTIMISED_KERNELS)
    optimised = opened.all_heads(quantized)
    difference = np.abs(optimised.astype(int) - model.all_heads(quantized).astype(int))
    return {
        "engine": opened.engine.facts(),
        "images": len(quantized),
        "differing_byte_share": float((difference > 0).mean()),
        "largest_difference_lsb": int(difference.max()),
    }
