"""`tinycerb convert`: trained models to int8 files."""

from pathlib import Path
from typing import Annotated, cast

import typer

from tinycerb import file_names
from tinycerb.cli.options import AllowCode, AsJson, Jobs, Quiet

Source = Annotated[
    Path,
    typer.Argument(
        metavar="SOURCE",
        help="A run directory, a quantization-aware multi-head model (.h5, .hdf5 or SavedModel), or an int8 .tflite "
        "(also as RUN/victims/NAME).",
        show_default=False,
    ),
]
Op = Annotated[
    str, typer.Option("--op", help="builtin; custom or custom-draw also write model.custom.tflite.", metavar="NAME")
]
Response = Annotated[
    str | None,
    typer.Option(metavar="NAME[,K=V]", help="What is done to every answer, e.g. rounding,bits=3.", show_default=False),
]
MaxDrop = Annotated[
    float | None,
    typer.Option("--max-accuracy-drop", metavar="POINTS", help="Exit 1 if a head loses more.", show_default=False),
]
Targets = Annotated[
    list[str] | None,
    typer.Option("--target", help="A runtime that must be able to run the file; again for more.", show_default=False),
]
NewDirectory = Annotated[
    Path | None, typer.Option(help="New directory, for a .h5 or .tflite. Default: converted/NAME.", show_default=False)
]
ClassNames = Annotated[
    str | None, typer.Option(metavar="A,B,...", help="Names of the classes, for a .h5 or .tflite.", show_default=False)
]
Data = Annotated[
    str,
    typer.Option(
        metavar="DATA",
        help="Your images, for a .h5 or .tflite: as for tinycerb run; the test part.",
        show_default=False,
    ),
]
Replace = Annotated[bool, typer.Option("--force", help="Replace an older conversion at --out.")]


def convert(
    source: Source,
    out: NewDirectory = None,
    op: Op = "builtin",
    response: Response = None,
    max_accuracy_drop: MaxDrop = None,
    target: Targets = None,
    class_names: ClassNames = None,
    data: Data = "",
    force: Replace = False,
    allow_code: AllowCode = False,
    jobs: Jobs = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Convert models to int8 .tflite files with head selection, check them, and say how to use them.

    Beside each model.tflite lie model.json, golden vectors (golden.bin, golden.h) and resolver.h for TFLite Micro.
    """
    import json

    from tinycerb.conversion.options import ConversionOptions
    from tinycerb.converters.contract import DEFAULT_TARGETS
    from tinycerb.reports.io_card import FileFacts, render_io_card
    from tinycerb.workflow.convert import convert_source

    options = ConversionOptions(
        operator=op,
        response=response,
        max_accuracy_drop=max_accuracy_drop,
        targets=tuple(target or DEFAULT_TARGETS),
        class_names=tuple(class_names.split(",")) if class_names else (),
        data=data,
        force=force,
        allow_code=allow_code,
    )
    bundles = convert_source(source, out, options, jobs, quiet)
    if as_json:
        typer.echo(
            json.dumps(
                {str(path): bundle.card.to_json() for path, bundle in bundles.items()}, indent=1, allow_nan=False
            )
        )
        return
    for path, bundle in bundles.items():
        card = bundle.card
        heads = "1 head" if card.heads == 1 else f"{card.heads} heads"
        engines = ", ".join(f"{engine.runtime} {engine.version}" for engine in card.engines)
        typer.echo(
            f"{path}  {card.file_bytes:,} bytes, {heads}, response {card.response:.60}, "
            f"arena {card.arena.arena_bytes:,} bytes ({card.arena.basis})"
        )
        if card.head_errors_lsb is not None:
            errors = ", ".join(f"{layout} {error:.2f}" for layout, error in vars(card.head_errors_lsb).items())
            typer.echo(f"  heads as {card.head_layout}; largest error in steps of the int8 logits: {errors}")
        typer.echo(f"  answered the golden vectors: {engines}, reference kernels")
        if "SOFTMAX" in card.exactness:
            typer.echo(f"  {card.exactness}")
        typer.echo("\n".join(f"  {line}" for line in render_io_card(cast(FileFacts, card.to_json())).splitlines()))
    is_run = (source / file_names.CONFIG).is_file()
    typer.echo(f"converted; next: tinycerb {f'bench {source}' if is_run else f'summary {next(iter(bundles))}'}")
