"""A file as layers of the C runtime, or the sentence that says why it cannot be."""

from tinycerb.boards.device_response import device_response
from tinycerb.converters.c_model.errors import UnsupportedModelError
from tinycerb.converters.c_model.model import CModel, check_model, lower_model
from tinycerb.converters.metadata import MetadataError
from tinycerb.converters.model_file import ModelFile
from tinycerb.errors import UsageError


def lowered(file: ModelFile, target: str = "portable", answers: bool = True) -> CModel:
    """Turns a file of any origin into layers.

    Args:
        file: the model.
        target: one of the lowering's targets.
        answers: whether it answers as its response says; otherwise every head gives its outputs.

    Raises:
        UsageError: the model or its response cannot run on this runtime.
    """
    try:
        check_model(file)
        return lower_model(file, target, device_response(file) if answers else ())
    except (UnsupportedModelError, MetadataError) as error:
        raise UsageError(f"this model cannot become firmware: {error}") from error
