"""Another implementation of KnockoffNets comes to the same clone."""

import json
import subprocess
import sys


def test_art_and_we_steal_alike(smoke_run) -> None:
    """A small version of the comparison in docs/adaptive_attacks.md, which has the bars."""
    command = [sys.executable, "-m", "tests.benchmarks.art_comparison", str(smoke_run.path), "undefended"]
    finished = subprocess.run(
        [*command, "--queries", "1000", "--epochs", "4", "--seeds", "2"], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    found = json.loads(finished.stdout)
    means = found["mean_accuracy"]
    assert min(means.values()) > 0.15
    # A few hundred test images, two seeds, hardly trained.
    assert abs(means["art"] - means["tinycerb"]) < 0.15
    assert found["times_as_fast"] > 0.8
