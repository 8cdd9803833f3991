"""Image files of one size, read with Pillow, and what of them does not become pixels."""

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from tinycerb.bounded.files import memory_limit, open_regular, require_memory
from tinycerb.errors import EnvironmentProblem, UsageError

ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
_GREY = ("1", "L", "LA")
_COLOUR = ("P", "PA", "RGB", "RGBA", "CMYK", "YCbCr")
_ALPHA = ("LA", "PA", "RGBA")
# The tag of EXIF that says how a camera was held, and its value for upright.
_ORIENTATION, _UPRIGHT = 0x0112, 1


def read_pictures(files: list[Path]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Reads pictures, all of one size.

    Args:
        files: one or more.

    Returns:
        uint8 [files, height, width, channels], with one channel if all are grey, else three; and what of them was
        left out.

    Raises:
        UsageError: sizes that differ, or more than 8 bits a channel.
        EnvironmentProblem: a file is corrupt or cannot be read.
    """
    pictures: list[np.ndarray] = []
    left_out: dict[str, list[Path]] = {}
    for path in files:
        pixels, lost = _picture(path, pictures[0] if pictures else None, files)
        pictures.append(pixels)
        for what in lost:
            left_out.setdefault(what, []).append(path)
    channels = max(picture.shape[2] for picture in pictures)
    images = np.stack([np.repeat(picture, channels // picture.shape[2], axis=2) for picture in pictures])
    told = (f"{what} of {len(of)} of {len(files):,} pictures, {of[0]} first" for what, of in left_out.items())
    return images, tuple(told)


def _picture(path: Path, first: np.ndarray | None, files: list[Path]) -> tuple[np.ndarray, list[str]]:
    """Returns the pixels of one file, uint8 [height, width, 1 or 3]; its size is looked at before they are unpacked."""
    # Pillow is wanted for folders alone, and takes its time to import.
    from PIL import Image

    if path.is_symlink() and not path.exists():
        raise EnvironmentProblem(f"{path} is a link to {path.readlink()}, which is not there; mend it or delete it")
    try:
        with warnings.catch_warnings(), open_regular(path, memory_limit()) as file:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file) as image:
                _check_picture(path, image.mode, image.height, image.width, first, files)
                lost = list(_lost(image))
                pixels = np.asarray(image.convert("L" if image.mode in _GREY else "RGB"))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UsageError(f"{path} is larger than any picture for a microcontroller ({error})") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise EnvironmentProblem(f"{path} is corrupt or no image ({error}); replace it or delete it") from error
    return pixels if pixels.ndim == 3 else pixels[..., np.newaxis], lost


def _lost(image: Any) -> Iterable[str]:
    """What of a picture its grey or colours do not show."""
    if getattr(image, "n_frames", 1) > 1:
        yield "all frames but the first"
    if image.getexif().get(_ORIENTATION, _UPRIGHT) != _UPRIGHT:
        yield "the turn that EXIF asks for"
    alpha = image.mode in _ALPHA or "transparency" in image.info
    if alpha and image.convert("RGBA").getchannel("A").getextrema()[0] < 255:
        yield "the alpha channel"


def _check_picture(path: Path, mode: str, height: int, width: int, first: np.ndarray | None, files: list[Path]) -> None:
    if mode not in (*_GREY, *_COLOUR):
        raise UsageError(f"{path} has {mode!r} pixels; allowed: 8 bits a channel ({', '.join(_GREY + _COLOUR)})")
    if first is None:
        require_memory(height * width * 3 * len(files), f"{len(files):,} pictures of {height}x{width} like {path}")
    elif (height, width) != first.shape[:2]:
        wanted = f"{first.shape[0]}x{first.shape[1]}"
        raise UsageError(
            f"{path} has {height}x{width} pixels (height x width), {files[0]} has {wanted}; all must have one size: "
            f"mogrify -resize {first.shape[1]}x{first.shape[0]}! FILES (ImageMagick)"
        )
