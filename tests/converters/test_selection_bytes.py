"""Reading the table of all heads gives the same bytes as asking for one head at a time, in every runtime."""

COMPARE = """
import sys
from pathlib import Path
import numpy as np
from tinycerb.tflite_model import open_model, REFERENCE_KERNELS
path = Path(sys.argv[1])
table, selected = open_model(path), open_model(path, REFERENCE_KERNELS, keep_tensors=False)
images = np.random.default_rng(0).integers(0, 256, (40, 28, 28, 1), dtype=np.uint8)
codes = table.quantize(images)
assert (codes == images.astype(int) - 128).all()
rows = table.all_heads(codes)
alone = np.array([[selected.invoke(image, head) for head in range(selected.heads)] for image in codes])
print((rows != alone).sum(), len(np.unique(rows)) > 20, (rows[:, 0] != rows[:, 1]).any())
"""


def test_table_and_selection_agree(smoke_run, run_apart) -> None:
    assert run_apart(COMPARE, smoke_run.model("cerberos")).split() == ["0", "True", "True"]


def test_tflite_micro_gives_the_same_bytes(smoke_run) -> None:
    from tinycerb.atomic import read_json

    for victim in ("undefended", "cerberos"):
        arena = read_json(smoke_run.victim(victim) / "measurements.json")["arena"]
        assert arena["differing_bytes"] == 0
        assert arena["compared_bytes"] >= 200
        assert 0 < arena["arena_nonpersistent_bytes"] < arena["arena_bytes"]
