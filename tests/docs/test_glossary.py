"""docs/glossary.md: the words that everybody needs are there, each with one meaning."""

import re
from pathlib import Path

from tinycerb.config import load_config
from tinycerb.presets import preset_names

PAGE = Path(__file__).parents[2] / "docs" / "glossary.md"
NEEDED = {
    "answer", "code", "posterior", "response", "head", "victim", "clone", "student", "leak", "T1", "T2",
    "device secret", "owner key", "query pool", "valid attack", "baseline",
}  # fmt: skip


def test_every_word_has_one_meaning() -> None:
    words = re.findall(r"^\| \*\*([^*]+)\*\*", PAGE.read_text(), re.MULTILINE)
    assert set(words) >= NEEDED
    assert len(words) == len(set(words))


def test_the_baseline_of_attacked_presets_is_the_undefended_victim() -> None:
    """As the page says."""
    configs = [load_config(name) for name in preset_names()]
    attacked = [config for config in configs if config.attacks]
    assert len(attacked) > 5
    assert {config.bench.baseline for config in attacked} == {"undefended"}


def test_presets_call_a_victim_by_its_defence() -> None:
    """The grammar of tinycerb/presets/README.md: the registered name, and a hyphen before what sets it apart."""
    for name in preset_names():
        for victim in load_config(name).victims:
            plain = victim.defense == "none" and victim.response == "none"
            parts = {victim.defense, *(part.partition(",")[0] for part in victim.response.split("+"))} - {"none"}
            allowed = {"undefended", "pruned"} if plain else {*parts, name}
            assert victim.name.partition("-")[0] in allowed, (name, victim.name)
