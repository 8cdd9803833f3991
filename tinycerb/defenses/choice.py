"""A defence as the command line names it: `cerberos,heads=3+dcp,tau=.7`, a training part and a response part."""

import typing
from dataclasses import dataclass, replace
from typing import Any

from tinycerb.answers.responses import RESPONSES, parse_response
from tinycerb.config import Config, VictimConfig, load_config
from tinycerb.defenses import DEFENSES, defense_of
from tinycerb.defenses.cerberos import LOSSES
from tinycerb.defenses.recommendation import is_defended, recommended_victim
from tinycerb.errors import UsageError, suggest
from tinycerb.presets import preset_names


@dataclass(frozen=True)
class Choice:
    """A defence with its settings.

    Attributes:
        defense: the training part, `none` for none.
        options: its options.
        response: the response part, `none` for none.
    """

    defense: str
    options: dict[str, Any]
    response: str

    @property
    def name(self) -> str:
        """A victim's name for it: `cerberos-dcp`."""
        parts = [self.defense, *(part.split(",")[0] for part in self.response.split("+"))]
        return "-".join(part for part in parts if part != "none")[:40].lower() or "none"


def parse_choice(text: str) -> Choice:
    """Reads a defence: parts joined by `+`, each `NAME[,option=value...]`, one training part at most.

    Raises:
        UsageError: an unknown name or option, or a value of another type.
    """
    training: list[str] = []
    responses: list[str] = []
    for part in text.split("+"):
        name = part.split(",")[0].strip()
        if name in DEFENSES and name != "none":
            training.append(part)
        elif name in RESPONSES:
            responses.append(part)
        elif training and "losses=" in training[-1].split(",")[-1]:
            # A mix of losses is joined by + as well: cerberos,losses=neg_js+mean_head:.3
            training[-1] += f"+{part}"
        else:
            raise unknown_defense(name)
    if len(training) > 1:
        raise UsageError(f"--defense {text!r} has {len(training)} training parts; allowed: one, and any responses")
    defense, options = _training_part(training[0]) if training else ("none", {})
    response = "+".join(part for part in responses if part != "none") or "none"
    parse_response(response)
    choice = Choice(defense, options, response)
    defense_of(VictimConfig(choice.name, defense, options=options, response=response))
    return choice


def unknown_defense(name: str) -> UsageError:
    """Returns the error for a name that is no defence: what it is instead, or the names that are known."""
    if name in preset_names():
        config = load_config(name)
        wanted = choice_text(config.victim(recommended_victim(config)))
        hint = f"; {name} is a preset (tinycerb run {name}), its defence: --defense {wanted}"
    elif name in LOSSES:
        hint = f"; {name} is a loss of cerberos: --defense cerberos,losses={name}"
    else:
        known = sorted({*DEFENSES, *RESPONSES} - {"none"})
        hint = f"{suggest(name, known)}; known: {', '.join(known)}, joined by +"
    return UsageError(f"unknown defence {name!r}{hint}")


def choice_text(victim: VictimConfig) -> str:
    """Returns a victim's defence as `--defense` takes it: `misdirection,heads=2+top1`."""
    training = ",".join([victim.defense, *(f"{key}={_text(value)}" for key, value in victim.options.items())])
    return "+".join(part for part in (training, victim.response) if part != "none") or "none"


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def with_defense(config: Config, text: str) -> Config:
    """Returns the configuration with this defence in place of its defended victims; undefended ones stay to compare.

    It is pruned as the one with the same training part was that it replaces, else as the first one.
    """
    choice = parse_choice(text)
    plain = [victim for victim in config.victims if not is_defended(victim)]
    defended = [victim for victim in config.victims if is_defended(victim)]
    alike = [victim for victim in defended if victim.defense == choice.defense]
    model = (alike or defended or [VictimConfig("defended")])[0]
    chosen = replace(
        model, name=choice.name, defense=choice.defense, options=choice.options, response=choice.response,
        minimum_accuracy=0.0, maximum_flash_share=0.0,
    )  # fmt: skip
    if choice.name in [victim.name for victim in plain]:
        raise UsageError(f"--defense {text!r}: the name {choice.name!r} is taken by an undefended victim")
    return replace(config, victims=(*plain, chosen), recommended=choice.name)


def _training_part(text: str) -> tuple[str, dict[str, Any]]:
    name, *settings = (part.strip() for part in text.split(","))
    hints = typing.get_type_hints(DEFENSES[name])
    options: dict[str, Any] = {}
    for setting in settings:
        key, _, value = setting.partition("=")
        fields = DEFENSES[name].__dataclass_fields__  # type: ignore[attr-defined]
        if key not in fields:
            allowed = ", ".join(fields) or "none"
            raise UsageError(f"defence {name!r} has no option {key!r}{suggest(key, fields)}; its options: {allowed}")
        options[key] = _typed(f"{name}.{key}", hints[key], value)
    return name, options


def _typed(where: str, kind: type, text: str) -> Any:
    if kind is bool:
        if text not in ("true", "false"):
            raise UsageError(f"{where} is {text!r}; expected true or false")
        return text == "true"
    try:
        return kind(text)
    except ValueError:
        raise UsageError(f"{where} is {text!r}; expected a {kind.__name__}") from None
