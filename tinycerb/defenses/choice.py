"""A defence as the command line names it: `cerberos,heads=3+dcp,tau=.7`, a training part and a response part."""

from dataclasses import dataclass, replace

from tinycerb.answers.responses import RESPONSES, parse_response
from tinycerb.config import Config, VictimConfig, load_config
from tinycerb.defenses import DEFENSES, defense_of
from tinycerb.defenses.recommendation import recommended_victim
from tinycerb.errors import UsageError, suggest
from tinycerb.options import options_of, parse_part, part_text, split_parts
from tinycerb.presets import preset_names


@dataclass(frozen=True)
class DefenseSpec:
    """A defence with its settings.

    Attributes:
        defense: the training part, `none` for none.
        options: its options.
        response: the response part, `none` for none.
    """

    defense: str
    options: dict[str, object]
    response: str

    @property
    def name(self) -> str:
        """A victim's name for it: `cerberos-dcp`."""
        parts = [self.defense, *(part.split(",")[0] for part in split_parts(self.response, RESPONSES))]
        return "-".join(part for part in parts if part != "none")[:40].lower() or "none"


def parse_defense(text: str) -> DefenseSpec:
    """Reads a defence: parts joined by `+`, each `NAME[,option=value...]`, one training part at most.

    Raises:
        UsageError: an unknown name or option, or a value of another type.
    """
    training: list[str] = []
    responses: list[str] = []
    for part in split_parts(text, DEFENSES, RESPONSES):
        name = part.split(",")[0].strip()
        if name in DEFENSES and name != "none":
            training.append(part)
        elif name in RESPONSES:
            responses.append(part)
        else:
            raise unknown_defense(name)
    if len(training) > 1:
        raise UsageError(f"--defense {text!r} has {len(training)} training parts; allowed: one, and any responses")
    defense, options = parse_part(training[0], DEFENSES) if training else ("none", {})
    response = "+".join(part for part in responses if part != "none") or "none"
    parse_response(response)
    choice = DefenseSpec(defense, options, response)
    defense_of(VictimConfig(choice.name, defense, options=options, response=response))
    return choice


def unknown_defense(name: str) -> UsageError:
    """Returns the error for a name that is no defence: what it is instead, or the names that are known."""
    joined = [
        (part, option.name)
        for part in DEFENSES
        for option in options_of(DEFENSES[part]).values()
        if option.limits.joined and name in option.limits.choices
    ]
    if name in preset_names():
        config = load_config(name)
        wanted = choice_text(config.victim(recommended_victim(config)))
        hint = f"; {name} is a preset (tinycerb run {name}), its defence: --defense {wanted}"
    elif joined:
        part, option = joined[0]
        hint = f"; {name} is one of the {option} of {part}: --defense {part},{option}={name}"
    else:
        known = sorted({*DEFENSES, *RESPONSES} - {"none"})
        hint = f"{suggest(name, known)}; known: {', '.join(known)}, joined by +"
    return UsageError(f"unknown defence {name!r}{hint}")


def choice_text(victim: VictimConfig) -> str:
    """Returns a victim's defence as `--defense` takes it: `misdirection,heads=2+top1`."""
    training = part_text(victim.defense, victim.options)
    return "+".join(part for part in (training, victim.response) if part != "none") or "none"


def with_defense(config: Config, text: str) -> Config:
    """Returns the configuration with this defence in place of its defended victims; undefended ones stay to compare.

    It is pruned as the one with the same training part was that it replaces, else as the first one.
    """
    choice = parse_defense(text)
    plain = [victim for victim in config.victims if not victim.is_defended]
    defended = [victim for victim in config.victims if victim.is_defended]
    alike = [victim for victim in defended if victim.defense == choice.defense]
    model = (alike or defended or [VictimConfig("defended")])[0]
    chosen = replace(
        model, name=choice.name, defense=choice.defense, options=choice.options, response=choice.response,
        minimum_accuracy=0.0, maximum_flash_share=0.0,
    )  # fmt: skip
    if choice.name in [victim.name for victim in plain]:
        raise UsageError(f"--defense {text!r}: the name {choice.name!r} is taken by an undefended victim")
    return replace(config, victims=(*plain, chosen), recommended=choice.name)
