"""Networks in SavedModel folders.

Beside the architecture such a folder holds a graph, whose operators may read and write files, some already while it is
loaded. Here the graph stays where it is: the network is built anew from its architecture and takes its weights from
the checkpoint.
"""

import json
from pathlib import Path
from typing import Any

from tinycerb.keras_models.keras_file.description import Description
from tinycerb.keras_models.keras_file.errors import DamagedKerasFileError, KerasFileError
from tinycerb.keras_models.keras_file.size import require_size
from tinycerb.keras_models.legacy import SavedMetadata, keras

_METADATA = "keras_metadata.pb"


def describe(path: Path, most_bytes: float) -> Description:
    """Reads what a folder says about its network.

    Raises:
        DamagedKerasFileError: it cannot be read.
        TooLargeError: its files have more than `most_bytes`.
        KerasFileError: no network of Keras is in it.
    """
    if not (path / _METADATA).is_file():
        raise KerasFileError(
            f"{path} is a SavedModel without {_METADATA}: a graph, no network of layers; save it from Keras 2: "
            "model.save('model.h5')"
        )
    require_size(sum(each.stat().st_size for each in path.rglob("*") if each.is_file()), most_bytes)
    try:
        nodes = SavedMetadata.FromString((path / _METADATA).read_bytes()).nodes
        root = json.loads(next(node.metadata for node in nodes if node.node_path == "root"))
        architecture = {"class_name": root["class_name"], "config": root["config"]}
        return Description(str(root.get("keras_version", "unknown")), architecture)
    except RecursionError:
        raise
    except Exception as error:  # What protobuf raises has no class of its own.
        raise DamagedKerasFileError(f"the model {path} is corrupt ({error or type(error).__name__})") from error


def load(path: Path, architecture: object) -> object:
    """Builds the network and gives it its weights."""
    network: Any = keras.models.model_from_json(json.dumps(architecture))
    network.load_weights(path).assert_existing_objects_matched()
    return network
