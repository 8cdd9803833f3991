"""`python -m tinycerb.conversion.float_reference RUN VICTIM OUT`: a victim's float32 .tflite, beside TensorFlow."""

import sys
from pathlib import Path

from tinycerb.atomic import write_bytes
from tinycerb.datasets import load_dataset
from tinycerb.plugins import load_handed_over
from tinycerb.run.directory import RunDirectory


def main() -> None:
    """Writes the file."""
    from tinycerb.conversion.from_run import convert_float

    path, victim, out = sys.argv[1:]
    load_handed_over()
    run = RunDirectory.open(Path(path))
    write_bytes(Path(out), convert_float(run.config, victim, load_dataset(run.config.data), run.victim(victim)))


if __name__ == "__main__":
    main()
