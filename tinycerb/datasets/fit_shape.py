"""Images of any size, grey or coloured, brought to the shape that a task has."""

import numpy as np

from tinycerb.errors import UsageError


def fit_shape(images: np.ndarray, shape: tuple[int, ...], where: str) -> np.ndarray:
    """Returns images resized and made grey or coloured, uint8 [N, *shape]; those that fit are left as they are.

    Sides are stretched to the new ones by a triangle filter, which averages where images shrink; grey is the luma of
    ITU-R BT.601.

    Args:
        images: uint8 [N, height, width, channels].
        shape: height, width and channels as the task has them.
        where: what to call the images in messages.

    Raises:
        UsageError: there is no rule for these channels.
    """
    if images.shape[1:] == shape:
        return images
    # Pillow takes its time to import.
    from PIL import Image

    channels = images.shape[3]
    if channels != shape[2] and {channels, shape[2]} != {1, 3}:
        raise UsageError(
            f"{where} has images of {channels} channels, the task's have {shape[2]}; allowed: as many, or 1 and 3"
        )
    if channels not in (1, 3) and images.shape[1:3] != shape[:2]:
        raise UsageError(f"{where} has images of {channels} channels; allowed: 1 or 3, or the task's own size")
    fitted = np.empty((len(images), *shape), np.uint8)
    mode = "L" if shape[2] == 1 else "RGB"
    for place, image in zip(fitted, images, strict=True):
        picture = Image.fromarray(image[..., 0] if channels == 1 else image).convert(mode)
        resized = picture.resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
        place[:] = np.asarray(resized).reshape(shape)
    return fitted
