"""What a response does to answers is not laid at quantization's door."""

import json

MEASURE = """
import json, sys
from pathlib import Path
from tinycerb.bench.accuracy import measure_accuracy
from tinycerb.runtimes.compiled_model import open_fastest
from tinycerb.runtimes.model_artifact import open_artifact
from tinycerb.config import load_config
from tinycerb.datasets import load_dataset
from tinycerb.events import ignore
test = load_dataset(load_config("smoke").data).test
models = [open_fastest(open_artifact(Path(path))) for path in sys.argv[1:]]
found = [measure_accuracy(model, test, ignore)[0] for model in models]
print(json.dumps([[one["accuracy_expected"], one["accuracy_before_response"]] for one in found]))
"""


def test_a_response_that_costs_labels_leaves_the_networks_accuracy_alone(cli, smoke_run, run_child, tmp_path) -> None:
    plain = smoke_run.model("cerberos")
    done = cli("convert", plain, "--response", "mad,epsilon=2", "--out", tmp_path / "poisoned")
    assert done.returncode == 0, done.stderr
    before, after = json.loads(run_child(MEASURE, plain, tmp_path / "poisoned" / "model.tflite").splitlines()[-1])
    assert len(before[1]) == 3
    assert before[1] == after[1]
    assert after[0] < before[0] - 0.05
    # Without a response only ties of rounded posteriors part the two.
    assert abs(sum(before[1]) / 3 - before[0]) < 0.01
