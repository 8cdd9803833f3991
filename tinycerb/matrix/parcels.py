"""What a cell needs, as bytes that go where no file of ours is."""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinycerb.atomic import write_bytes
from tinycerb.bench.cell import CellSpec
from tinycerb.bench.cell_inputs import ORACLE_FILES, CellInputs, TeacherRecipe, gather_inputs
from tinycerb.datasets import load_dataset
from tinycerb.datasets.images import LabelledImages
from tinycerb.errors import EnvironmentProblem
from tinycerb.matrix.cells import MatrixCell
from tinycerb.plugins import Plugin
from tinycerb.seal.files import read_bytes

_FILE, _FACTS = "file:", "facts"


@dataclass(frozen=True)
class PluginParcel:
    """A plugin that cells need on another machine.

    Attributes:
        name: its module's.
        parcel: what holds its files.
        sha256: what it must be.
    """

    name: str
    parcel: str
    sha256: str


@dataclass(frozen=True)
class Order:
    """A cell that another machine is to compute.

    Attributes:
        spec: which.
        parcels: names of what it is computed from: the victim, the test images, the attacker's images and, for an
            attack that knows the victim's teachers, what these are made from but for the key.
        versions: of the packages that its result depends on.
        key_file: where the victim's owner key is here, "" for nowhere; the key itself is not sent.
        plugins: those that are loaded here.
    """

    spec: CellSpec
    parcels: tuple[str, ...]
    versions: Mapping[str, str]
    key_file: str = ""
    plugins: tuple[PluginParcel, ...] = ()


class Packer:
    """Packs the inputs of cells; what several cells share is packed once."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, ...], str] = {}
        self.contents: dict[str, bytes] = {}

    def pack_plugins(self, plugins: Sequence[Plugin]) -> tuple[PluginParcel, ...]:
        """Packs the files of plugins; `contents` holds them."""
        packed = []
        for plugin in plugins:
            content = _as_bytes({name: np.frombuffer(text, np.uint8) for name, text in plugin.files.items()})
            name = f"tinycerb-plugin-{plugin.sha256[:32]}"
            self.contents[name] = content
            packed.append(PluginParcel(plugin.name, name, plugin.sha256))
        return tuple(packed)

    def pack(self, cell: MatrixCell) -> tuple[str, ...]:
        """Returns the names of a cell's parcels; `contents` holds them."""
        spec = cell.spec
        seed = str(spec.victim_seed)
        keys = [("victim", spec.victim, seed), ("test", spec.dataset), ("questions", spec.query_pool)]
        if spec.owner:
            keys.append(("recipe", spec.victim, seed))
        if any(key not in self._names for key in keys):
            inputs = gather_inputs(cell.run, load_dataset(cell.run.config.data), spec)
            packed = [
                _pack_victim(inputs),
                _pack_test(inputs),
                _as_bytes({"pool": inputs.pool, "in_distribution": inputs.in_distribution}),
            ]
            if inputs.recipe is not None:
                packed.append(_pack_recipe(inputs.recipe))
            for key, content in zip(keys, packed, strict=True):
                name = f"tinycerb-{hashlib.sha256(content).hexdigest()[:32]}"
                self._names[key] = name
                self.contents[name] = content
        return tuple(self._names[key] for key in keys)


def _pack_victim(inputs: CellInputs) -> bytes:
    files = [inputs.model.parent / name for name in (*ORACLE_FILES, *inputs.side_files)]
    arrays = {f"{_FILE}{path.name}": np.frombuffer(read_bytes(path), np.uint8) for path in files if path.exists()}
    facts = json.dumps({"response": inputs.response, "classes": inputs.classes})
    if inputs.victim_answers is not None:
        arrays["answers"] = inputs.victim_answers
    return _as_bytes(
        {**arrays, _FACTS: np.array(facts), "labels": inputs.victim_labels, "fingerprints": inputs.fingerprints}
    )


def _pack_test(inputs: CellInputs) -> bytes:
    return _as_bytes({"images": inputs.test.images, "labels": inputs.test.labels})


def _pack_recipe(recipe: TeacherRecipe) -> bytes:
    apart = {} if recipe.uncorrelated_with is None else {"uncorrelated_with": recipe.uncorrelated_with}
    return _as_bytes({"heads": np.array(recipe.heads), "drawn": recipe.drawn, **apart})


def _as_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def unpack(folder: Path, names: tuple[str, ...]) -> CellInputs:
    """Unpacks parcels that lie in a folder, each under its name; the victim's files go beside them."""
    victim, test, questions = (_arrays(folder / name) for name in names[:3])
    home = folder / "victims" / names[0]
    for key, content in victim.items():
        if key.startswith(_FILE) and not (home / key.removeprefix(_FILE)).exists():
            write_bytes(home / key.removeprefix(_FILE), content.tobytes())
    facts = json.loads(str(victim[_FACTS]))
    return CellInputs(
        model=home / ORACLE_FILES[0],
        response=facts["response"],
        classes=facts["classes"],
        pool=questions["pool"],
        in_distribution=questions["in_distribution"],
        test=LabelledImages(test["images"], test["labels"]),
        victim_labels=victim["labels"],
        victim_answers=victim.get("answers"),
        fingerprints=victim["fingerprints"],
        recipe=_unpack_recipe(_arrays(folder / names[3])) if len(names) > 3 else None,
    )


def unpack_plugin(folder: Path, parcel: PluginParcel) -> Plugin:
    """Unpacks a plugin whose parcel lies in a folder; its files go beside it.

    Raises:
        EnvironmentProblem: it is not the one that was sent.
    """
    files = {name: content.tobytes() for name, content in _arrays(folder / parcel.parcel).items()}
    home = folder / "plugins" / parcel.sha256
    plugin = Plugin(parcel.name, parcel.name, home, files)
    if plugin.sha256 != parcel.sha256:
        raise EnvironmentProblem(
            f"the plugin {parcel.name} came with the SHA-256 {plugin.sha256[:12]}..., expected "
            f"{parcel.sha256[:12]}...: it is not run"
        )
    for name, content in files.items():
        write_bytes(home / name, content)
    return plugin


def _unpack_recipe(arrays: Mapping[str, np.ndarray]) -> TeacherRecipe:
    return TeacherRecipe(int(arrays["heads"]), arrays["drawn"], arrays.get("uncorrelated_with"))


def _arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)
