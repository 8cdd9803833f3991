"""The golden run: digests of all that the code computes, before and after a change that must change nothing.

`python -m tests.golden_run write` makes `digests.json`; `check` makes them again and names what differs. Weights depend
on the processor, so the file names the one that it was made on, and another one is refused.

Equal must be all tensors of every int8 file, the answers of every response to 200 images, and every cell's result.
Names, metadata and digests of specifications may differ.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

_HERE = Path(__file__).parent
_DIGESTS = _HERE / "digests.json"
_PRESETS = ("defenses", "attacks")


def main() -> None:
    """Writes the digests, or compares; exit 1 where something differs, 3 on another processor."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden_run", description=__doc__)
    parser.add_argument("action", choices=("write", "check"))
    parser.add_argument("--folder", type=Path, help="where the runs go, and are resumed; a temporary folder by default")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="golden-run-") as temporary:
        found = make_digests(arguments.folder or Path(temporary))
    if arguments.action == "write":
        _DIGESTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
        print(f"{len(found['digests'])} digests: {_DIGESTS}")  # noqa: T201
        return
    expected = json.loads(_DIGESTS.read_text())
    if expected["processor"] != found["processor"]:
        print(  # noqa: T201
            f"the digests were made on {expected['processor']}, this is {found['processor']}: weights differ there "
            "anyway; check out the commit before your change and call: python -m tests.golden_run write",
            file=sys.stderr,
        )
        sys.exit(3)
    differing = differences(expected["digests"], found["digests"])
    print("\n".join([*differing, f"{len(found['digests'])} digests, {len(differing)} differ"]))  # noqa: T201
    sys.exit(bool(differing))


def differences(expected: dict[str, str], found: dict[str, str]) -> list[str]:
    """Returns a line for every digest that is missing, new or another one."""
    lines = []
    for name in sorted({*expected, *found}):
        if name not in found:
            lines.append(f"missing: {name}")
        elif name not in expected:
            lines.append(f"new: {name}")
        elif expected[name] != found[name]:
            lines.append(f"differs: {name}")
    return lines


def make_digests(folder: Path) -> dict[str, Any]:
    """Runs both configurations below `folder`, or goes on with them, and returns all digests."""
    found: dict[str, str] = {}
    processor = ""
    for preset in _PRESETS:
        run = folder / preset
        started = ["--resume", run] if (run / "config.toml").exists() else [_HERE / f"{preset}.toml", "--out", run]
        subprocess.run([sys.executable, "-m", "tinycerb", "run", *map(str, started), "--quiet"], check=True)
        for model in sorted(run.glob("victims/*/model.tflite")):
            found[f"tensors/{preset}/{model.parent.name}"] = tensor_digest(model.read_bytes())
            found[f"answers/{preset}/{model.parent.name}"] = _answers_digest(model)
        for cell in sorted(run.glob("cells/*.json")):
            content = json.loads(cell.read_text())
            spec = content["spec"]
            found[f"cell/{spec['attack']['name']}/{spec['selection']}"] = result_digest(content["result"])
        processor = json.loads((run / "env.json").read_text())["processor"]
    return {"processor": processor, "digests": found}


def names_in(preset: str) -> dict[str, set[str]]:
    """Returns the training parts, responses and attacks that a configuration of this folder uses."""
    table = tomllib.loads((_HERE / f"{preset}.toml").read_text())
    victims = table["victims"]
    return {
        "defenses": {victim.get("defense", "none") for victim in victims},
        "responses": {part.split(",")[0] for victim in victims for part in victim.get("response", "none").split("+")},
        "attacks": {attack["attack"] for attack in table["attacks"]},
    }


def tensor_digest(content: bytes) -> str:
    """Returns the digest of all constants of a `.tflite`, their shapes, types and scales, in the file's order."""
    from tflite.Model import Model

    model = Model.GetRootAs(content, 0)
    sha256 = hashlib.sha256()
    for index in range(model.SubgraphsLength()):
        graph = model.Subgraphs(index)
        assert graph is not None
        for number in range(graph.TensorsLength()):
            tensor = graph.Tensors(number)
            assert tensor is not None
            scales = tensor.Quantization()
            facts = (
                tensor.ShapeAsNumpy(),
                tensor.Type(),
                scales.ScaleAsNumpy() if scales else None,
                scales.ZeroPointAsNumpy() if scales else None,
                model.Buffers(tensor.Buffer()).DataAsNumpy(),  # type: ignore[union-attr]
            )
            for fact in facts:
                sha256.update(b"|")
                sha256.update(fact.tobytes() if isinstance(fact, np.ndarray) else str(fact).encode())
    return sha256.hexdigest()[:16]


def result_digest(result: dict[str, Any]) -> str:
    """Returns the digest of a cell's figures."""
    return hashlib.sha256(json.dumps(figures(result), sort_keys=True).encode()).hexdigest()[:16]


def figures(result: dict[str, Any]) -> dict[str, Any]:
    """Returns a cell's result without what differs from one run to the next: times and versions."""
    return {key: value for key, value in result.items() if not any(word in key for word in ("seconds", "engine"))}


def _answers_digest(model: Path) -> str:
    from tinycerb.oracle import OracleSpec, SealedOracle

    images = np.random.default_rng(20).integers(0, 256, (200, 28, 28, 1), dtype=np.uint8)
    with SealedOracle(OracleSpec(str(model), "probs", "fixed", 1)) as oracle:
        answers = oracle.query(images)
    return hashlib.sha256(np.rint(answers * 256).astype(np.int32).tobytes()).hexdigest()[:16]


if __name__ == "__main__":
    main()
