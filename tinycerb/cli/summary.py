"""`tinycerb summary`: what any .tflite file is made of."""

from pathlib import Path
from typing import Annotated

import typer

from tinycerb.cli.options import AsJson


def summary(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A .tflite file, TinyCerb's or not.")],
    as_json: AsJson = False,
) -> None:
    """Print a .tflite file layer by layer: costs, quantization, planned arena, operators that runtimes lack.

    Reads the file only: it needs no TensorFlow, and no interpreter is started.
    """
    import json

    from converters.model_file import ModelFileError, read_model_file
    from converters.summary import summarise
    from reports.file_summary import render_summary
    from tinycerb.errors import EnvironmentProblem, UsageError

    try:
        facts = summarise(read_model_file(path))
    except OSError as error:
        raise EnvironmentProblem(f"cannot read {path}: {error.strerror}") from error
    except ModelFileError as error:
        raise UsageError(f"{path}: {error}") from error
    typer.echo(json.dumps(facts, indent=1, allow_nan=False) if as_json else render_summary(str(path), facts))
