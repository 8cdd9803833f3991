"""docs/glossary.md: the words that everybody needs are there, each with one meaning."""

import ast
import re
from pathlib import Path

from tests.test_layout import PRODUCT, names_used_in, tree_of
from tinycerb.config import load_config
from tinycerb.presets import preset_names

DEFINITIONS = ast.FunctionDef | ast.ClassDef
PAGE = Path(__file__).parents[2] / "docs" / "glossary.md"
NEEDED = {
    "answer", "code", "posterior", "response", "head", "victim", "clone", "student", "leak", "T1", "T2",
    "device secret", "owner key", "query pool", "valid attack", "baseline",
}  # fmt: skip


def test_every_word_has_one_meaning() -> None:
    words = re.findall(r"^\| \*\*([^*]+)\*\*", PAGE.read_text(), re.MULTILINE)
    assert set(words) >= NEEDED
    assert len(words) == len(set(words))


# Names of before, each with the one that took its place; where old files are read they stand as texts.
GONE = {
    "own_images": "in_distribution_images",
    "load_own": "load_in_distribution",
    "call_apart": "call_in_subprocess",
    "apart_from": "uncorrelated_with",
    "APART": "PER_HEAD_BACKBONES",
    "rows_of": "heads_in_file",
    "Report": "OnProgress",
    "Wishes": "ConversionOptions",
    "Setting": "TrainingContext",
    "Assembly": "Architecture",
}


def test_names_that_were_replaced_do_not_come_back() -> None:
    used = {path: names_used_in(path) | arguments_of(path) for path in PRODUCT}
    assert {str(path): names & set(GONE) for path, names in used.items() if names & set(GONE)} == {}
    everywhere = set().union(*used.values()) | {
        node.name for path in PRODUCT for node in ast.walk(tree_of(path)) if isinstance(node, DEFINITIONS)
    }
    assert set(GONE.values()) <= everywhere


def arguments_of(path: Path) -> set[str]:
    return {node.arg for node in ast.walk(tree_of(path)) if isinstance(node, ast.arg | ast.keyword) and node.arg}


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
