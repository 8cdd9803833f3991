"""Reads the architecture that a Keras file describes, before Keras does, and refuses what is not known to be harmless.

Keras imports the modules and calls the functions that a file names: looking at the description is all that can be
done without running it.
"""

from tinycerb.keras_models.keras_file.errors import ForeignCodeError
from tinycerb.keras_models.keras_file.known_classes import (
    CLASSES,
    FUNCTION_LAYERS,
    FUNCTIONS,
    KERAS_MODULES,
    QUANTIZATION_PACKAGE,
    STRINGS,
)

_CARRIES_CODE = ("Lambda", "__lambda__", "function")


def check_architecture(architecture: object) -> None:
    """Walks a description, nested networks, wrappers, initialisers and arguments included.

    Args:
        architecture: plain JSON.

    Raises:
        ForeignCodeError: it names something that is not known; the message names the layer, if there is one.
        RecursionError: it is nested too deep.
    """
    _check(architecture, "")


def _check(value: object, layer: str) -> None:
    if isinstance(value, list):
        for item in value:
            _check(item, layer)
    if not isinstance(value, dict):
        return
    if "class_name" in value:
        layer = _name(value) or layer
        _check_class(value, layer)
    for key, item in value.items():
        if isinstance(item, str):
            _check_string(key, item, layer)
        else:
            _check(item, layer)


def _check_class(value: dict[str, object], layer: str) -> None:
    # As text, since JSON may hold anything in their place.
    name, module, registered = str(value["class_name"]), value.get("module"), value.get("registered_name")
    if name in _CARRIES_CODE:
        raise ForeignCodeError(f"code of its own ({_where(layer)}{_a(name)})")
    if name in FUNCTION_LAYERS:
        config = value.get("config")
        function = str(config.get("function")) if isinstance(config, dict) else "none"
        if function not in FUNCTIONS:
            raise ForeignCodeError(f"a call of TensorFlow's {function} ({_where(layer)}{_a(name)})")
    elif name not in CLASSES:
        raise ForeignCodeError(f"something else than Keras' own layers ({_where(layer)}{_a(name)})")
    if module is not None and str(module) not in KERAS_MODULES and not str(module).startswith(QUANTIZATION_PACKAGE):
        raise ForeignCodeError(f"{_a(name)} of the module {module!r}, which is not Keras' own{_behind(layer)}")
    if registered is not None and registered != name:
        raise ForeignCodeError(f"{_a(name)} that is registered as {registered!r}{_behind(layer)}")


def _check_string(key: str, text: str, layer: str) -> None:
    allowed = STRINGS.get(key.rpartition("_")[2])
    if allowed is not None and text not in allowed:
        raise ForeignCodeError(f"{key} {text!r}, which is none of Keras' own{_behind(layer)}")


def _name(value: dict[str, object]) -> str:
    config = value.get("config")
    found = config.get("name") if isinstance(config, dict) else None
    return found if isinstance(found, str) else ""


def _a(name: str) -> str:
    return f"an {name}" if name[:1] in "AEIO" else f"a {name}"


def _where(layer: str) -> str:
    return f"layer {layer!r}, " if layer else ""


def _behind(layer: str) -> str:
    return f" (layer {layer!r})" if layer else ""
