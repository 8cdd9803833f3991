"""The lists of defences, attacks, students, backbones, augmentations, optimizers, data sets, presets and boards.

Each is made when it is asked for: the rooms that hold these things are imported in the bodies.
"""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import takewhile
from typing import Any

from tinycerb.cli.listable import LISTINGS, Entry, Listing
from tinycerb.errors import UsageError


def _listed(
    name: str, kind: str, meaning: str, following: str, unknown: Callable[[str], UsageError] | None = None
) -> Callable[[Callable[[], Iterable[Entry]]], Callable[[], Iterable[Entry]]]:
    def file(entries: Callable[[], Iterable[Entry]]) -> Callable[[], Iterable[Entry]]:
        LISTINGS.register(name)(Listing(kind, meaning, entries, following, unknown))
        return entries

    return file


def _unknown_defense(name: str) -> UsageError:
    from tinycerb.defenses.choice import unknown_defense

    return unknown_defense(name)


@_listed(
    "defenses", "defence",
    "List and explain defences: join one training part and any responses with +.",
    "tinycerb defenses show NAME; tinycerb run demo --defense misdirection+top1",
    _unknown_defense,
)  # fmt: skip
def defenses() -> Iterable[Entry]:
    """Training parts and responses."""
    from tinycerb.answers.responses import RESPONSES
    from tinycerb.defenses import DEFENSES

    for part, registry in (("training", DEFENSES), ("response", RESPONSES)):
        for name in registry:
            if name != "none":
                yield _with_options(name, registry[name], part)


@_listed(
    "attacks", "attack", "List and explain attacks, with their options.",
    'tinycerb attacks show NAME; attack = "NAME" of [[attacks]] in a .toml',
)  # fmt: skip
def attacks() -> Iterable[Entry]:
    """All attacks."""
    from tinycerb.attacks import ATTACKS

    for name in ATTACKS:
        yield _with_options(name, ATTACKS[name])


@_listed(
    "students", "student", "List and explain the networks that a thief trains as a clone.",
    'tinycerb students show NAME; students = ["NAME"] of [[attacks]] in a .toml',
)  # fmt: skip
def students() -> Iterable[Entry]:
    """All clone networks."""
    from tinycerb.attacks.building_blocks.students import STUDENTS

    for name in STUDENTS:
        yield _documented(name, STUDENTS[name])


@_listed(
    "backbones", "backbone", "List and explain the networks that heads stand on.",
    "tinycerb backbones show NAME; tinycerb run demo --set model.backbone=NAME",
)  # fmt: skip
def backbones() -> Iterable[Entry]:
    """All backbones, with their parameters at 28x28x1 and width 1."""
    from tinycerb.keras_models import PARAMETERS, about_backbone
    from tinycerb.training.backbones import BACKBONES

    for name, parameters in PARAMETERS.items():
        about = about_backbone(name)
        size = {"parameters": parameters}
        yield Entry(name, _first(about), about, facts=size, columns=(f"{parameters:>9,} parameters at 28x28x1",))
    for name in BACKBONES:
        if name not in PARAMETERS:
            about = _prose(BACKBONES[name])
            yield Entry(name, _first(about), about, columns=("of a plugin",))


@_listed(
    "augmentations", "augmentation", "List and explain what may happen to training images before each step.",
    "tinycerb augmentations show NAME; --set training.augmentation=shift+cutout",
)  # fmt: skip
def augmentations() -> Iterable[Entry]:
    """All augmentations, by the kind of data that they are for."""
    from tinycerb.training.augmentation import AUGMENTATIONS

    for name in AUGMENTATIONS:
        entry = _with_options(name, AUGMENTATIONS[name])
        yield replace(entry, facts={"data": AUGMENTATIONS[name].data}, columns=(f"for {AUGMENTATIONS[name].data}",))


@_listed(
    "optimizers", "optimizer", "List and explain the optimizers of victims.",
    "tinycerb optimizers show NAME; --set training.optimizer=NAME",
)  # fmt: skip
def optimizers() -> Iterable[Entry]:
    """All optimizers."""
    from tinycerb.training.optimizers import OPTIMIZERS

    for name in OPTIMIZERS:
        yield _with_options(name, OPTIMIZERS[name])


@_listed(
    "datasets", "data set", "List and explain the data sets of victims.",
    "tinycerb datasets show NAME; tinycerb run demo --set data.name=NAME",
)  # fmt: skip
def datasets() -> Iterable[Entry]:
    """All data sets, each with its source."""
    from tinycerb.datasets import DATASETS

    for name in DATASETS:
        yield _documented(name, DATASETS[name])


@_listed(
    "presets", "preset", "List and explain the built-in configurations.",
    "tinycerb presets show NAME; tinycerb run NAME",
)  # fmt: skip
def presets() -> Iterable[Entry]:
    """All presets, with what they compare."""
    from tinycerb.config import load_config
    from tinycerb.presets import preset_names, read_preset

    for name in preset_names():
        config = load_config(name)
        comment = takewhile(lambda line: line.startswith("#"), read_preset(name).splitlines())
        about = [line.removeprefix("# ") for line in comment]
        facts = {
            "data": config.data.name,
            "backbone": config.model.backbone,
            "victims": ", ".join(victim.name for victim in config.victims),
            "attacks": ", ".join(attack.name for attack in config.attacks) or "none",
        }
        yield Entry(name, about[0], "\n\n".join(about), facts=facts)


@_listed(
    "boards", "board", "List and explain the boards that come with TinyCerb.",
    "tinycerb boards show NAME; tinycerb flash MODEL --board NAME",
)  # fmt: skip
def boards() -> Iterable[Entry]:
    """All boards, with core, kernels and memory."""
    from tinycerb.boards.board import board_names, load_board

    for board in map(load_board, board_names()):
        facts = {
            "description": board.description, "core": board.core, "kernels": board.kernels,
            "flash_bytes": board.flash.bytes, "ram_bytes": board.ram.bytes, "flasher": board.flasher,
        }  # fmt: skip
        memory = (f"flash {board.flash.bytes // 1024:>5} KB", f"RAM {board.ram.bytes // 1024:>5} KB")
        yield Entry(board.name, board.description, facts=facts, columns=(board.core, board.kernels, *memory))


def _with_options(name: str, kind: type, part: str = "") -> Entry:
    # The paper stands in the module's docstring, the equation mostly in the class's.
    of_module, of_class = _prose(inspect.getmodule(kind)), _prose(kind)
    return Entry(name, _first(of_class), f"{of_module}\n\n{of_class}", part, options=kind)


def _documented(name: str, thing: Any) -> Entry:
    about = _prose(thing)
    return Entry(name, _first(about), about)


def _prose(thing: Any) -> str:
    """Returns a docstring without what is for callers: Args, Returns and Raises."""
    paragraphs = inspect.cleandoc(thing.__doc__ or "").split("\n\n")
    return "\n\n".join(takewhile(lambda text: not text.startswith(("Args:", "Returns:", "Raises:")), paragraphs))


def _first(about: str) -> str:
    """Returns the first paragraph as one line."""
    return " ".join(about.split("\n\n")[0].split()).rstrip(".")
