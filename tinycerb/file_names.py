"""Names of the files that commands leave and read. No other module spells one."""

# Of a run.
CONFIG = "config.toml"
ENVIRONMENT = "env.json"
OWNER = "owner.json"
PLUGINS = "plugins"
LATENCY = "latency.json"
COSTS = "costs.json"
METRICS = "metrics.json"
REPORT = "report.pdf"
MODEL_CARD = "model_card.md"
RESULTS = "results.json"
RESULTS_PAGE = "results.md"
CELL_SECONDS = "cell_seconds.csv"
# A folder: trainings of which one is kept, runs of their own.
CANDIDATES = "candidates"
# A folder: what suspects of its models were found to be.
VERIFICATIONS = "verifications"

# Of the training of a teacher that victims learn from.
TEACHER = "teacher.h5"

# Of a training before pruning.
CHECKPOINT = "checkpoint.npz"
DENSE = "dense.json"
REFERENCE = "reference.h5"
REFERENCE_POSTERIORS = "reference_posteriors.npz"

# Of a victim's training; `training.json` is written last.
BUDGET = "budget.json"
CHOICE = "choice.json"
# The figures of each of several trainings, of which there may be so many.
CANDIDATE_FIGURES = tuple(f"candidate-{number}.json" for number in range(1, 9))
OUT_OF_DISTRIBUTION = "out_of_distribution.npz"
FLOAT_FACTS = "float.json"
FLOAT_MODEL = "float.h5"
QUANTIZATION_AWARE_MODEL = "model.h5"
HISTORY = "history.csv"
EPOCH_TIMES = "epoch_times.csv"
TRAINING = "training.json"

# Of a converted model; `model.json` is written last.
MODEL = "model.tflite"
CUSTOM_MODEL = "model.custom.tflite"
MODEL_JSON = "model.json"
GOLDEN_VECTORS = "golden.bin"
GOLDEN_HEADER = "golden.h"
RESOLVER_HEADER = "resolver.h"

# Of a victim's measurements; `measurements.json` is written last.
TEST_LABELS = "test_labels.npz"
MEASUREMENTS = "measurements.json"
