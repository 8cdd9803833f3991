"""A budget in bytes: the search, its refusals, and sizes that hold for the trained file."""

import json

import pytest

from tinycerb.compression.budget import Budget, Size, fit_ratio, parse_bytes
from tinycerb.errors import ExitCode, GateError, UsageError
from tinycerb.run.directory import RunDirectory


def linear(ratio: float) -> Size:
    """A file of 100 kB of which nine tenths are weights."""
    weights = round(90_000 * (1 - ratio))
    return Size(ratio, 10_000 + weights, weights, round(50_000 * (1 - ratio / 2)), "ADD 'stream'", 30_000)


@pytest.mark.parametrize(("flash", "ram", "ratio"), [(55_000, 0, 0.5), (0, 40_000, 0.4), (55_000, 30_000, 0.8)])
def test_the_smallest_ratio_that_fits(flash: int, ram: int, ratio: float) -> None:
    found, tried = fit_ratio(linear, Budget(flash, ram))
    assert found.ratio == pytest.approx(ratio)
    assert Budget(flash, ram).fits(found)
    assert not Budget(flash, ram).fits(linear(ratio - 0.025))
    assert len(tried) <= 8


def test_what_fits_is_left_alone() -> None:
    found, tried = fit_ratio(linear, Budget(200_000, 60_000))
    assert found.ratio == 0
    assert len(tried) == 1


def test_what_can_never_fit_says_what_limits_it() -> None:
    with pytest.raises(GateError) as caught:
        fit_ratio(linear, Budget(15_000, 20_000))
    message = str(caught.value)
    assert "90% of the channels cut" in message
    assert "the file has 19,000 bytes, --flash allows 15,000 (9,000 are weights" in message
    assert "--ram allows 20,000 (what ADD 'stream' reads and writes takes 30,000)" in message
    assert "--set model.width=0.5" in message
    assert caught.value.exit_code == ExitCode.GATE


@pytest.mark.parametrize(
    ("text", "size"), [("48KB", 49152), ("48 kb", 49152), ("1.5KiB", 1536), ("300", 300), ("2MB", 2**21)]
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert parse_bytes(text, "--flash") == size


@pytest.mark.parametrize("text", ["", "48", "48KB", "0", "0KB", "-3KB", "48GB", "many"])
def test_sizes_are_refused_or_whole(text: str) -> None:
    if text in ("48", "48KB"):
        assert parse_bytes(text, "--ram") >= 48
        return
    with pytest.raises(UsageError, match="--ram is"):
        parse_bytes(text, "--ram")


def test_a_budget_needs_somebody_who_is_pruned(cli, fresh) -> None:
    finished = cli("train", "smoke", "--set", "victims=[{name='undefended'}]", "--flash", "48KB", "--out", fresh)
    assert finished.returncode == ExitCode.USAGE
    assert "no victim of this configuration has a channel_ratio above 0" in finished.stderr
    assert not fresh.exists()


def test_the_trained_file_fits(cli, fresh) -> None:
    """Sizes are measured before training, on the untrained network, and hold afterwards."""
    victims = "[{name='undefended'},{name='cerberos',defense='cerberos',channel_ratio=0.5}]"
    settings = ("--set", "attacks=[]", "--set", "data.train_images=300", "--set", f"victims={victims}")
    finished = cli("run", "smoke", *settings, "--flash", "10KB", "--ram", "12KB", "--out", fresh, "--quiet")
    assert finished.returncode == 0, finished.stderr
    run = RunDirectory.open(fresh)
    budget = json.loads((run.victim("cerberos") / "budget.json").read_text())
    chosen = next(size for size in budget["tried"] if size["ratio"] == budget["channel_ratio"])
    victim = json.loads(run.metrics.read_text())["victims"]["cerberos"]
    assert 0 < budget["channel_ratio"] < 0.9
    assert victim["file"]["flash_bytes"] <= chosen["file_bytes"] <= 10 * 1024
    assert chosen["file_bytes"] - victim["file"]["flash_bytes"] < 200
    assert victim["memory"]["arena_bytes"] == chosen["arena_bytes"] <= 12 * 1024
    assert victim["training"]["channel_groups"][0]["kept"] < victim["training"]["channel_groups"][0]["channels"]
