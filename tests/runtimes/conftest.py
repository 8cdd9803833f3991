"""Every backbone as an int8 file."""

import pytest

from tests.converted_backbones import SMALL, ConvertedBackbone, convert_backbone
from tinycerb.keras_models import BACKBONES


@pytest.fixture(scope="session", params=BACKBONES)
def converted(request, tmp_path_factory) -> ConvertedBackbone:
    """One backbone after the other; read it, do not change it."""
    return convert_backbone(request.param, SMALL[request.param], tmp_path_factory.mktemp(request.param))
