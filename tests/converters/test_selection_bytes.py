"""Reading the table of all heads gives the same bytes as asking for one head at a time, in every runtime."""

import numpy as np

from tinycerb.atomic import read_json
from tinycerb.compression.quantization import load_quantization_aware
from tinycerb.datasets import load_dataset
from tinycerb.training.objective import LogitPredictor

COMPARE = """
import sys
from pathlib import Path
import numpy as np
from tinycerb.runtimes.interpreter_model import REFERENCE_KERNELS, open_interpreter
from tinycerb.runtimes.model_artifact import open_artifact
artifact = open_artifact(Path(sys.argv[1]))
table, selected = open_interpreter(artifact), open_interpreter(artifact, REFERENCE_KERNELS, keep_tensors=False)
images = np.random.default_rng(0).integers(0, 256, (40, 28, 28, 1), dtype=np.uint8)
codes = artifact.quantize(images)
assert (codes == images.astype(int) - 128).all()
rows = table.all_heads(codes)
alone = np.array([[selected.invoke(image, head) for head in range(artifact.heads)] for image in codes])
print((rows != alone).sum(), len(np.unique(rows)) > 20, (rows[:, 0] != rows[:, 1]).any())
"""


def test_table_and_selection_agree(smoke_run, run_child) -> None:
    assert run_child(COMPARE, smoke_run.model("cerberos")).split() == ["0", "True", "True"]


def test_tflite_micro_gives_the_same_bytes(smoke_run) -> None:
    for victim in ("undefended", "cerberos"):
        arena = read_json(smoke_run.victim(victim) / "measurements.json")["arena"]
        assert arena["differing_bytes"] == 0
        assert arena["compared_bytes"] >= 200
        assert 0 < arena["arena_nonpersistent_bytes"] < arena["arena_bytes"]


ROWS = """
import sys
import numpy as np
from pathlib import Path
from tinycerb.runtimes.interpreter_model import open_interpreter
from tinycerb.runtimes.model_artifact import open_artifact
artifact = open_artifact(Path(sys.argv[1]))
rows = open_interpreter(artifact).all_heads(artifact.quantize(np.load(sys.argv[2])))
zero_point = artifact.file.outputs["logits"].zero_points[0]
np.save(sys.argv[3], (rows.astype(int) - zero_point) * np.array(artifact.head_scales)[:, np.newaxis])
np.save(sys.argv[4], np.array(artifact.head_scales))
"""


def test_every_head_of_the_file_is_that_head_of_the_trained_model(smoke_run, run_child, tmp_path) -> None:
    """Neither swapped nor wrongly scaled: logits agree with the quantization-aware model to a few steps."""
    images = load_dataset(smoke_run.config.data).test.images[:100]
    np.save(tmp_path / "images.npy", images)
    names = [tmp_path / name for name in ("images.npy", "logits.npy", "scales.npy")]
    run_child(ROWS, smoke_run.model("cerberos"), *names)
    from_file, scales = np.load(tmp_path / "logits.npy"), np.load(tmp_path / "scales.npy")
    trained = LogitPredictor(load_quantization_aware(smoke_run.victim("cerberos") / "model.h5"))(images)
    steps = np.abs(from_file - trained) / scales[:, np.newaxis]
    # One step of the logits, and what one step of the features before them makes.
    assert np.median(steps) <= 1.5
    assert np.quantile(steps, 0.99) <= 6
    for head in range(3):
        nearest = [np.abs(from_file[:, head] - trained[:, other]).mean() for other in range(3)]
        assert int(np.argmin(nearest)) == head
