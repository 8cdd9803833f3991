"""Which of a run's victims to deploy."""

from typing import Any

from tinycerb.config import Config
from tinycerb.defenses import DEFENSES


def recommended_victim(config: Config) -> str:
    """Returns the name of the victim that is for deployment.

    It is the one that `recommended` names; else the last defended one whose training part is preferred most; else the
    last.
    """
    if config.recommended:
        return config.recommended
    defended = [victim for victim in config.victims if victim.is_defended]
    if not defended:
        return config.victims[-1].name
    kinds: list[Any] = [DEFENSES[victim.defense] for victim in defended]
    most = max(kind.preference for kind in kinds)
    return [victim for victim, kind in zip(defended, kinds, strict=True) if kind.preference == most][-1].name
