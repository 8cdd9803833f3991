"""Options that several commands share.

Commands import what they work with in their bodies: `--help` must answer at once.
"""

from pathlib import Path
from typing import Annotated

import typer

Preset = Annotated[
    str | None,
    typer.Argument(help="A preset (demo, custom, fortress, smoke) or the path of a .toml file.", show_default=False),
]
Model = Annotated[
    str,
    typer.Option(
        metavar="MODEL",
        help="Your network: package.module:build, or a saved tf_keras model (.h5, .hdf5, .keras, SavedModel).",
        show_default=False,
    ),
]
Data = Annotated[
    str,
    typer.Option(
        metavar="DATA",
        help="Your images: a .npz file, package.module:load, or a folder of images per class.",
        show_default=False,
    ),
]
QueryPool = Annotated[
    str,
    typer.Option(
        metavar="POOL",
        help="The attacker's images, unlabelled: as for --data, or a pool's name. --data without it: no attacks.",
        show_default=False,
    ),
]
Flash = Annotated[
    str,
    typer.Option(
        metavar="SIZE",
        help="Prune until the int8 file fits, e.g. 48KB (1 KB = 1024 bytes). For every victim that is pruned.",
        show_default=False,
    ),
]
Ram = Annotated[
    str,
    typer.Option(metavar="SIZE", help="Prune until the arena of TFLite Micro fits, e.g. 24KB.", show_default=False),
]
DefenseName = Annotated[
    str,
    typer.Option(
        "--defense",
        metavar="DEFENCE",
        help="In place of the preset's: NAME[,k=v][+RESPONSE[,k=v]], see `tinycerb defenses list`.",
        show_default=False,
    ),
]
Owner = Annotated[
    str,
    typer.Option(
        metavar="KEY",
        help="Your owner key's file (`tinycerb ownership new`), or public: no key, anybody's to repeat. Default: a "
        "preset's word, or for what is yours a new key beside the run.",
        show_default=False,
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a value, e.g. --set training.dense_epochs=5."),
]
Out = Annotated[
    Path | None,
    typer.Option(help="Directory of the new run. Default: runs/<time>-<name>-<hash>.", show_default=False),
]
Force = Annotated[bool, typer.Option("--force", help="Delete an older run at --out first.")]
Resume = Annotated[
    Path | None,
    typer.Option("--resume", metavar="RUN", help="Go on with this run.", show_default=False),
]
Jobs = Annotated[
    int,
    typer.Option("--jobs", "-j", min=0, max=256, help="Tasks side by side. 0: one per core.", envvar="TINYCERB_JOBS"),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
AllowCode = Annotated[
    bool,
    typer.Option("--allow-code", help="Open a Keras file though code in it will run: you trust whoever made it."),
]
NamedModel = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL",
        help="A run (its recommended victim), RUN/victims/NAME, or a .tflite file.",
        show_default=False,
    ),
]
ExistingRun = Annotated[Path, typer.Argument(help="A run directory.", show_default=False)]
