"""Arrays, models and settings of a caller's become files and texts that mean the same."""

import threading
import tomllib
from pathlib import Path

import numpy as np
import pytest

from tinycerb.api.calls import working
from tinycerb.api.inputs import data_source, model_source, pool_source
from tinycerb.api.settings import as_overrides
from tinycerb.api.train import _as_layers
from tinycerb.config import load_config
from tinycerb.config.user_sources import allow_code, code_is_allowed
from tinycerb.datasets.user_data import open_user_data, open_user_pool
from tinycerb.errors import UsageError
from tinycerb.events import say, silence
from tinycerb.matrix.display import make_matrix_display
from tinycerb.processes.stopping import deferred
from tinycerb.progress import make_display

IMAGES = np.random.default_rng(0).integers(0, 256, (90, 12, 12), dtype=np.uint8)
LABELS = np.arange(90) % 3


def parsed(overrides: list[str]) -> dict[str, object]:
    found = {}
    for each in overrides:
        key, _, text = each.partition("=")
        found[key] = tomllib.loads(f"value = {text}")["value"]
    return found


def test_settings_are_the_values_that_they_were() -> None:
    settings = {
        "seed": np.int64(3),
        "training": {"learning_rate": 1e-3, "dense_epochs": 1},
        "data.name": 'a "b" \\ \n\x7f é 🙂',
        "victims": [{"name": "x", "options": {"heads": 3, "a b": (True, False)}}],
        "model.source": Path("net.h5"),
    }
    assert parsed(as_overrides(settings)) == {
        "seed": 3,
        "training.learning_rate": 1e-3,
        "training.dense_epochs": 1,
        "data.name": 'a "b" \\ \n\x7f é 🙂',
        "victims": [{"name": "x", "options": {"heads": 3, "a b": [True, False]}}],
        "model.source": "net.h5",
    }
    with pytest.raises(UsageError, match=r"training.dense_epochs is None; allowed: numbers"):
        as_overrides({"training": {"dense_epochs": None}})


def test_a_mapping_is_as_good_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('extends = "smoke"\nseed = 7\n[training]\ndense_epochs = 2\n')
    base, overrides = _as_layers({"extends": "smoke", "seed": 7, "training": {"dense_epochs": 2}}, {})
    assert load_config(str(base), overrides) == load_config(str(tmp_path / "own.toml"))
    assert _as_layers({"seed": 7}, {"seed": 8}) == ("custom", ["seed=7", "seed=8"])


@pytest.mark.parametrize(
    "data",
    [
        ((IMAGES[:60], LABELS[:60]), (IMAGES[60:], LABELS[60:])),
        {"x_train": IMAGES[:60], "y_train": LABELS[:60], "x_test": IMAGES[60:], "y_test": LABELS[60:]},
    ],
    ids=["pairs", "mapping"],
)
def test_arrays_are_kept_under_a_name_of_their_content(tmp_path: Path, data) -> None:
    source = data_source(data, tmp_path / "inputs")
    found = open_user_data(source)
    assert (found.train.images[..., 0] == IMAGES[:60]).all()
    assert (found.test.labels == LABELS[60:]).all()
    assert data_source(data, tmp_path / "inputs") == source
    assert len(list((tmp_path / "inputs").iterdir())) == 1


def test_images_with_labels_are_one_set_and_a_pool_has_none(tmp_path: Path) -> None:
    assert len(open_user_data(data_source((IMAGES, LABELS), tmp_path)).train.images) < 90
    assert len(open_user_pool(pool_source(IMAGES, tmp_path)).images) == 90
    assert (data_source(None, tmp_path), pool_source("animal_mnist", tmp_path)) == ("", "animal_mnist")
    assert data_source(Path("a") / "b.npz", tmp_path) == "a/b.npz"


def test_a_model_is_the_file_that_it_saves(tmp_path: Path) -> None:
    class Network:
        def save(self, filepath: str) -> None:
            Path(filepath).write_bytes(b"weights")

    source = Path(model_source(Network(), tmp_path))
    assert (source.parent, source.suffix, source.read_bytes()) == (tmp_path, ".h5", b"weights")
    assert model_source("net:build", tmp_path) == "net:build"


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda folder: data_source({"images": np.array([{}])}, folder), "images of the data is an array of objects"),
        (lambda folder: data_source(3, folder), "data is builtins.int; allowed: a path"),  # type: ignore[arg-type]
        (lambda folder: pool_source([1], folder), "the pool is builtins.list; allowed"),  # type: ignore[arg-type]
        (lambda folder: model_source(3, folder), "the model is builtins.int; allowed"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_kept_is_refused(tmp_path: Path, make, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        make(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_silent_call_says_nothing_and_consent_ends_with_it(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TINYCERB_ALLOW_CODE", raising=False)
    with working(progress=False):
        say("unheard")
        with silence(False):
            say("still unheard")
        allow_code()
        assert code_is_allowed()
    assert not code_is_allowed()
    with working(progress=True):
        say("heard")
    monkeypatch.setenv("TINYCERB_ALLOW_CODE", "1")
    with working(progress=True):
        pass
    assert code_is_allowed()
    assert capsys.readouterr() == ("", "heard\n")


def test_work_may_be_started_from_a_thread() -> None:
    """Where no signal handler can be set."""
    done: list[str] = []

    def work() -> None:
        with deferred(lambda: None):
            done.append("work")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == ["work"]


def test_a_notebook_shows_progress_on_standard_error(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    make_display().begin({"train/x": 1.0}, ())
    make_matrix_display(1).say("a cell is done")
    assert capsys.readouterr() == ("", "1 tasks, 0 of them done already\na cell is done\n")
