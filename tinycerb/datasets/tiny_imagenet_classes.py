"""Which classes of Tiny ImageNet are a task's own kinds, and which half the others lie in: the attacker's or not.

Photographs are a fair pool of another kind only without the kinds that the victim knows, and judge a defence only where
its defender has trained on none like them. The list is `tiny_imagenet_classes.toml`, beside this file.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from tinycerb.config.typed_tables import build

_LIST = "tiny_imagenet_classes.toml"


@dataclass(frozen=True)
class PhotographClass:
    """A class of Tiny ImageNet.

    Attributes:
        id: WordNet 3.0's, `n` and eight digits.
        name: the first word that WordNet has for it.
        parents: its direct hypernyms.
        own_kind: the task whose own kind it is, `cifar10` or `fashion_mnist`; empty for none.
        half: `attacker` or `defender`; empty where it is a task's own kind.
    """

    id: str
    name: str
    parents: tuple[str, ...]
    own_kind: str = ""
    half: str = ""


@dataclass(frozen=True)
class _List:
    classes: tuple[PhotographClass, ...]


@cache
def tiny_imagenet_classes() -> tuple[PhotographClass, ...]:
    """Returns all 200 classes in the order of their labels."""
    return build(_List, tomllib.loads((resources.files("tinycerb.datasets") / _LIST).read_text()), _LIST).classes


def labels_of(part: Mapping[str, str]) -> list[int]:
    """Returns the labels of the classes whose fields have these values; all labels for an empty `part`."""
    return [
        label
        for label, entry in enumerate(tiny_imagenet_classes())
        if all(getattr(entry, field) == value for field, value in part.items())
    ]
