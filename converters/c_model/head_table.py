"""A file without its head selection: one run answers with the table of all heads."""

from dataclasses import replace

from tinycerb.converters.model_file import ModelFile


def as_head_table(file: ModelFile) -> ModelFile:
    """Returns the graph up to the table that the head selection reads; a file without selection is its own table.

    The bytes of the file stay as they are, and with them the hash: only what is lowered from it changes.
    """
    selection = file.head_operator
    if selection is None:
        return file
    table, head = selection.inputs[0], file.inputs["head"]
    return replace(
        file,
        operators=file.operators[: selection.index],
        inputs={name: tensor for name, tensor in file.inputs.items() if name != "head"},
        outputs={next(iter(file.outputs)): table},
        graph_inputs=tuple(tensor for tensor in file.graph_inputs if tensor.index != head.index),
        graph_outputs=(table,),
    )
