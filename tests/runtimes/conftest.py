"""Every backbone as an int8 file."""

import pytest

from keras_models import BACKBONES
from tests.converted_backbones import SMALL, ConvertedBackbone, convert_backbone


@pytest.fixture(scope="session", params=BACKBONES)
def converted(request, tmp_path_factory) -> ConvertedBackbone:
    """One backbone after the other; read it, do not change it."""
    return convert_backbone(request.param, SMALL[request.param], tmp_path_factory.mktemp(request.param))
