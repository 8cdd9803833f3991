"""`tinycerb summary`: what any .tflite file is made of."""

import typer

from tinycerb.cli.options import AsJson, NamedModel
from tinycerb.workflow.named_model import open_model_file


def summary(model: NamedModel, as_json: AsJson = False) -> None:
    """Print a .tflite file layer by layer: costs, quantization, planned arena, operators that runtimes lack.

    Any .tflite file, TinyCerb's or not. It is read only: no TensorFlow is needed, and no interpreter is started.
    """
    import json
    from typing import cast

    from tinycerb.converters.summary import summarise
    from tinycerb.reports.file_summary import SummaryFacts, render_summary

    path, file = open_model_file(model)
    facts = summarise(file)
    typer.echo(
        json.dumps(facts, indent=1, allow_nan=False)
        if as_json
        else render_summary(str(path), cast(SummaryFacts, facts))
    )
