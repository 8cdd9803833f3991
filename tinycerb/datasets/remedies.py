"""The line of NumPy that turns an array that does not fit into one that does; nothing is converted in silence."""

import numpy as np

# Whole numbers above 8 bits come from converters and cameras of so many bits.
_WHITES = tuple(2**bits - 1 for bits in (10, 12, 14, 16))


def describe_pixels(array: np.ndarray, name: str) -> str:
    """Returns what an array that is not uint8 holds, and how it becomes uint8, 0 to 255.

    Args:
        array: images of any dtype.
        name: what the user calls the array.

    Returns:
        A text to put behind the dtype.
    """
    if array.dtype.kind == "O":
        return " (Python objects; images of one size go together with np.stack)"
    if array.dtype.kind not in "biuf" or array.size == 0:
        return ""
    wrong = count_not_finite(array)
    if wrong:
        return f" with {wrong} values that are NaN or infinite (mend them first, e.g. np.nan_to_num({name}))"
    if array.dtype.kind == "b":
        return f" (take {name}.astype(np.uint8) * 255)"
    low, high = array.min().item(), array.max().item()
    return f", {low:.6g} to {high:.6g} (take {_to_codes(name, low, high, array.dtype.kind == 'f')})"


def _to_codes(name: str, low: float, high: float, is_float: bool) -> str:
    if low >= 0 and high <= 1:
        return f"np.rint({name} * 255).astype(np.uint8)" if is_float else f"({name} * 255).astype(np.uint8)"
    if low >= 0 and high <= 255:
        return f"np.rint({name}).astype(np.uint8)" if is_float else f"{name}.astype(np.uint8)"
    if is_float and low >= -1 and high <= 1:
        return f"np.rint(({name} + 1) * 127.5).astype(np.uint8)"
    if not is_float and low >= -128 and high <= 127:
        return f"({name}.astype(np.int16) + 128).astype(np.uint8)"
    white = next((white for white in _WHITES if low >= 0 and high <= white), None)
    if white and not is_float:
        return f"np.rint({name} * (255 / {white})).astype(np.uint8)"
    # Normalised by somebody's mean and deviation: only they know what black and white were.
    return (
        "the images from before they were normalised, or, with one BLACK and one WHITE for all arrays, "
        f"np.clip(np.rint(({name} - BLACK) * (255 / (WHITE - BLACK))), 0, 255).astype(np.uint8)"
    )


def describe_layout(shape: tuple[int, ...], name: str, smallest: int, most_channels: int) -> str:
    """Returns how an array of another layout becomes [images, height, width, channels], or nothing."""
    sides_behind = len(shape) == 4 and min(shape[2:]) >= smallest
    if sides_behind and 1 <= shape[1] <= most_channels:
        return f"; with the channels in front take {name}.transpose(0, 2, 3, 1)"
    if len(shape) == 4 and min(shape[:2]) >= smallest and shape[2] in (1, 3, 4) and shape[3] > most_channels:
        return f"; with the images in the last axis take {name}.transpose(3, 0, 1, 2)"
    if len(shape) == 3 and shape[2] in (1, 3, 4) and min(shape[:2]) >= smallest:
        return f"; if it is a single image take {name}[np.newaxis]"
    if len(shape) == 2:
        for channels in (1, 3):
            side = round((shape[1] / channels) ** 0.5)
            if side >= smallest and side * side * channels == shape[1]:
                return f"; flat rows become images again with {name}.reshape(-1, {side}, {side}, {channels})"
    return ""


def describe_classes(array: np.ndarray, name: str) -> str:
    """Returns how an array that is no list of integers becomes the class of each image, or nothing.

    Args:
        array: labels of any dtype and shape.
        name: what the user calls the array.
    """
    if array.dtype.kind not in "biuf":
        if array.dtype.kind in "US" and array.ndim == 1:
            known = _training_name(name)
            return f"; number them: class_names = np.unique({known}), {name} = np.searchsorted(class_names, {name})"
        return ""
    wrong = count_not_finite(array)
    if wrong:
        return f" with {wrong} values that are NaN or infinite"
    if array.ndim == 2 and array.shape[1] > 1 and len(array) and _is_one_hot(array):
        return f" (one-hot: take {name}.argmax(axis=1))"
    if array.ndim == 1 and array.dtype.kind in "bf" and (array == np.rint(array.astype(np.float64))).all():
        return f" (whole numbers: take {name}.astype(np.int64))"
    return ""


def renumber(name: str) -> str:
    """Returns how labels with gaps become 0 to classes - 1, by the training labels."""
    return f"np.searchsorted(np.unique({_training_name(name)}), {name})"


def count_not_finite(array: np.ndarray) -> int:
    """Returns how many values are NaN or infinite; 0 for integers."""
    return int((~np.isfinite(array)).sum()) if array.dtype.kind == "f" else 0


def _is_one_hot(rows: np.ndarray) -> bool:
    """Also rows of probabilities, whose class is the largest."""
    return bool((rows >= 0).all() and np.allclose(rows.sum(axis=1, dtype=np.float64), 1, atol=1e-3))


def _training_name(name: str) -> str:
    return name.replace("test", "train")
