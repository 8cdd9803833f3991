"""The firmware that a device runs: model, golden vectors, head selection, and the device's secret put in last."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tinycerb import file_names
from tinycerb.answers.keyed_selection import SECRET_BYTES
from tinycerb.atomic import make_directory, write_text
from tinycerb.boards.board import Board
from tinycerb.boards.build import Image, build_image, kernels_for
from tinycerb.boards.cmsis_nn import CmsisNn
from tinycerb.boards.device import SELECTIONS
from tinycerb.boards.device_response import answers_to
from tinycerb.boards.elf import memory_use, with_section
from tinycerb.boards.fit import check_fit, check_image
from tinycerb.boards.golden import golden_vectors
from tinycerb.boards.lent_file import memory_file, named_file
from tinycerb.boards.lowered import lowered
from tinycerb.boards.query_limit import QueryLimit
from tinycerb.converters.c_model.golden import emit_golden_header, emit_golden_source
from tinycerb.converters.c_model.model import CModel
from tinycerb.converters.model_file import ModelFile
from tinycerb.errors import UsageError

GOLDEN_IMAGES = 2


@dataclass(frozen=True)
class Firmware:
    """A built image and what it must answer.

    Attributes:
        image: without the secret.
        golden_images: int8 [N, ...].
        golden_codes: uint8 [N, heads, classes], the answer of every head that may answer; where the outputs are no
            classes (one, or more than 256) the bytes of the int8 outputs.
    """

    image: Image
    golden_images: np.ndarray
    golden_codes: np.ndarray


def build_firmware(
    file: ModelFile,
    board: Board,
    folder: Path,
    selection: str,
    cmsis_nn: CmsisNn | None = None,
    limit: QueryLimit | None = None,
) -> Firmware:
    """Builds the serving image.

    Args:
        file: the model.
        board: the board.
        folder: where everything goes.
        selection: how heads are drawn.
        cmsis_nn: a tree whose kernels take the place of TinyCerb's where it has them.
        limit: how many questions are answered; all by default.

    Raises:
        UsageError: unknown selection, or a model that cannot run.
        HardwareError: a model that does not fit.
        EnvironmentProblem: no compiler.
    """
    _known_selection(selection)
    check_fit(lowered(file, kernels_for(board, cmsis_nn)), board, GOLDEN_IMAGES)
    model, images, outputs = _expected(file)
    make_directory(folder)
    write_text(folder / file_names.GOLDEN_HEADER, emit_golden_header(len(images)))
    write_text(folder / "golden.c", emit_golden_source(images, outputs))
    application = (
        *(f"application/{name}.c" for name in ("serve", "frame", "image_pieces", "secret")), "target/startup.c",
        board.ticks_source, "target/standalone.c", f"target/serial_{board.serial_driver}.c",
    )  # fmt: skip
    defines = [f"TC_SELECTION=TC_SELECT_{selection.upper()}"]
    if limit is not None:
        application += ("application/query_limit.c",)
        defines += limit.defines(board)
    image = build_image(
        file, board, folder, application, extra=[folder / "golden.c"], defines=defines, cmsis_nn=cmsis_nn
    )
    return Firmware(image, images, _answers(file, model, outputs))


def prebuilt_firmware(file: ModelFile, board: Board, elf: Path, selection: str) -> Firmware:
    """Takes an image that was built elsewhere, with `tinycerb flash --out`; no compiler is needed.

    Raises:
        UsageError: no readable image, unknown selection, or a model that cannot run.
        HardwareError: an image that does not fit.
    """
    _known_selection(selection)
    image = Image(elf, lowered(file, board.kernels), *memory_use(elf))
    check_image(image.flash_bytes, image.ram_bytes, board)
    model, images, outputs = _expected(file)
    return Firmware(image, images, _answers(file, model, outputs))


def _known_selection(selection: str) -> None:
    if selection == "seeded":
        raise UsageError(
            "head selection 'seeded' starts with the same seed at every power-up: whoever resets the device chooses "
            f"the head. It exists in evaluations only; allowed: {', '.join(SELECTIONS)}"
        )
    if selection not in SELECTIONS:
        raise UsageError(f"unknown head selection {selection!r}; known: {', '.join(SELECTIONS)}")


def _expected(file: ModelFile) -> tuple[CModel, np.ndarray, np.ndarray]:
    model = lowered(file, answers=False)
    return model, *golden_vectors(file, model, GOLDEN_IMAGES)


def _answers(file: ModelFile, model: CModel, outputs: np.ndarray) -> np.ndarray:
    """What the device says with each head: its codes, or its outputs as they are where they are no classes."""
    if not model.answered:
        return outputs.view(np.uint8)
    return answers_to(file, outputs)


@contextmanager
def with_secret(image: Image, secret: bytes, folder: Path, needs_file: bool = False) -> Iterator[Image]:
    """Lends a copy of the image that holds the secret and lies in memory alone.

    Args:
        image: without the secret.
        secret: 16 bytes.
        folder: for a link to the copy.
        needs_file: whether who reads it looks behind links.

    Raises:
        UsageError: a secret that is not 16 bytes, or an image without a place for it.
    """
    if len(secret) != SECRET_BYTES:
        raise UsageError(f"the secret has {len(secret)} bytes; expected {SECRET_BYTES} (32 hexadecimal digits)")
    content, name = with_section(image.elf, ".secret", secret), "provisioned.elf"
    with named_file(content, name) if needs_file else memory_file(content, folder / name) as elf:
        yield replace(image, elf=elf)
