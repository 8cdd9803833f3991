"""What any .tflite file is made of, as plain JSON values; needs neither TensorFlow nor an interpreter."""

import hashlib
from collections.abc import Iterable, Mapping

from tinycerb.converters.arena_plan import plan_arena
from tinycerb.converters.contract import load_targets, operator_violations
from tinycerb.converters.known_operators import c_operators, tflm_methods
from tinycerb.converters.layer_costs import cost_of
from tinycerb.converters.layer_names import layer_name
from tinycerb.converters.metadata import MetadataError, read_metadata
from tinycerb.converters.model_file import ModelFile, Operator, Tensor

_MOST_SCALES = 4


def summarise(model: ModelFile) -> dict[str, object]:
    """Describes a file, TinyCerb's or not.

    Returns:
        `layers` (one row per operator of the main subgraph), `totals`, `inputs`, `outputs`, `arena` (planned),
        `missing_operators` per runtime, `beyond_targets` (operators that the proven table of a runtime does not hold),
        and `card`, the metadata of a TinyCerb file or None.
    """
    costs = [cost_of(operator) for operator in model.operators]
    everything = [*model.operators, *(operator for branch in model.branches for operator in branch)]
    card, card_error = _card(model)
    return {
        "schema_version": 1,
        "file_bytes": len(model.content),
        "sha256": hashlib.sha256(model.content).hexdigest(),
        "description": model.description,
        "subgraphs": 1 + len(model.branches),
        "inputs": _ends(model.inputs),
        "outputs": _ends(model.outputs),
        "layers": [_layer(operator) for operator in model.operators],
        "totals": {
            "operators": len(everything),
            "multiply_accumulates": sum(cost.multiply_accumulates for cost in costs),
            "weight_bytes": _constant_bytes(everything),
            "largest_activation_bytes": max((cost.activation_bytes for cost in costs), default=0),
        },
        "arena": _arena(model),
        "missing_operators": {
            "tflite-micro": _missing(everything, tflm_methods()),
            # The C runtime computes in integers alone.
            "tinycerb-c": sorted({*_missing(everything, c_operators()), *_on_floats(everything)}),
        },
        "beyond_targets": {
            target: [sentence for operator in everything for sentence in operator_violations(operator, target)]
            for target in load_targets()
        },
        "card": card,
        "card_error": card_error,
    }


def _layer(operator: Operator) -> dict[str, object]:
    cost = cost_of(operator)
    return {
        "index": operator.index,
        "layer": layer_name(operator),
        "operator": cost.operator,
        "version": cost.version,
        "input_shape": list(cost.input_shape),
        "output_shape": list(cost.output_shape),
        "dtype": cost.dtype,
        "multiply_accumulates": cost.multiply_accumulates,
        "weight_bytes": cost.weight_bytes,
        "activation_bytes": cost.activation_bytes,
    }


def _ends(tensors: Mapping[str, Tensor]) -> dict[str, object]:
    return {
        name: {
            "dtype": tensor.dtype,
            "shape": list(tensor.shape),
            "scales": list(tensor.scales[:_MOST_SCALES]),
            "zero_points": list(tensor.zero_points[:_MOST_SCALES]),
        }
        for name, tensor in tensors.items()
    }


def _constant_bytes(operators: Iterable[Operator]) -> int:
    """Constants that several operators of one graph share count once."""
    # Tensors of different subgraphs with the same index differ in their other fields, names first of all.
    return sum(tensor.constant_bytes for tensor in {tensor for operator in operators for tensor in operator.inputs})


def _arena(model: ModelFile) -> dict[str, object] | None:
    plan = plan_arena(model)
    if plan is None:
        return None
    return {
        "origin": "planned",
        "arena_bytes": plan.arena_bytes,
        "nonpersistent_bytes": plan.nonpersistent_bytes,
        "persistent_bytes": plan.persistent_bytes,
    }


def _missing(operators: Iterable[Operator], known: Iterable[str]) -> list[str]:
    return sorted({operator.name for operator in operators} - set(known))


def _on_floats(operators: Iterable[Operator]) -> set[str]:
    return {
        f"{operator.name} ({tensor.dtype})"
        for operator in operators
        for tensor in operator.outputs
        if "float" in tensor.dtype
    }


def _card(model: ModelFile) -> tuple[dict[str, object] | None, str | None]:
    try:
        return read_metadata(model), None
    except MetadataError as error:
        return None, str(error)
