"""Options as fields of frozen dataclasses."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, get_origin, get_type_hints

from tinycerb.options.limits import Limits

_KEY = "option"


@dataclass(frozen=True)
class Option:
    """One option of a dataclass.

    Attributes:
        name: the field's.
        kind: its type: `int`, `float`, `str`, `bool`, or a tuple of these or a mapping.
        default: its value where none is given; `MISSING` where one must be.
        limits: what it means and allows.
    """

    name: str
    kind: Any
    default: object
    limits: Limits

    @property
    def type(self) -> str:
        """Its type for people: `int`, `list of str`."""
        origin = get_origin(self.kind)
        if origin is tuple:
            return f"list of {self.kind.__args__[0].__name__}"
        return "table" if origin else self.kind.__name__

    @property
    def allowed(self) -> str:
        """What is allowed, in words."""
        return "true, false" if self.kind is bool else self.limits.allowed

    @property
    def default_text(self) -> str:
        """Its default as it is written after `=`: in TOML's way, "" for an empty one, `required` for none."""
        return "required" if self.default is MISSING else text_of(self.default)

    def facts(self) -> dict[str, object]:
        """Returns what there is to say of it, for JSON."""
        default = None if self.default is MISSING else self.default
        return {
            "name": self.name, "type": self.type, "default": default, "allowed": self.allowed,
            "meaning": self.limits.meaning,
        }  # fmt: skip


def option(
    default: object,
    meaning: str,
    low: float | None = None,
    high: float | None = None,
    choices: Collection[str] = (),
    **further: Any,
) -> Any:
    """Declares an option: a field of a frozen dataclass whose `__post_init__` calls `check_options`.

    Args:
        default: its value where none is given, `dataclasses.MISSING` where one must be; an empty mapping for a table.
        meaning: one line for people.
        low: smallest allowed number.
        high: largest allowed number.
        choices: allowed words, a tuple or a registry.
        **further: the other attributes of `Limits`.
    """
    metadata = {_KEY: Limits(meaning, low, high, choices=choices, **further)}
    if isinstance(default, Mapping):
        return field(default_factory=dict, metadata=metadata)
    return field(default=default, metadata=metadata)


def options_of(kind: type) -> dict[str, Option]:
    """Returns the options that a dataclass declares, by name, in their order."""
    hints = get_type_hints(kind)
    return {
        each.name: Option(
            each.name,
            hints[each.name],
            each.default if each.default_factory is MISSING else each.default_factory(),
            each.metadata[_KEY],
        )
        for each in fields(kind)
        if _KEY in each.metadata
    }


def check_options(owner: Any, where: str = "") -> None:
    """Checks every option of an object against its declaration.

    Args:
        owner: an instance of a dataclass.
        where: what its options are called behind, `training` for `training.batch_size`; left out, an entry of a
            registry is called as that calls it, `defence 'ini'`.

    Raises:
        UsageError: out of range or no choice; the message names the option, its value and what is allowed.
    """
    before = f"{where}." if where else _called(type(owner))
    for each in fields(owner):
        if _KEY in each.metadata:
            each.metadata[_KEY].check(f"{before}{each.name}", getattr(owner, each.name))


def text_of(value: object) -> str:
    """Returns a value as text: `true`, `0.7`, `lenet, batchnorm_cnn`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(map(text_of, value))
    return str(value)


def _called(kind: type) -> str:
    registered = getattr(kind, "registered_as", "")
    return f"{registered}: option " if registered else ""
