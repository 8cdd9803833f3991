"""The presets for tasks: each trains on drawn images of its shape, converts, and answers on an emulated board."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinycerb.config import load_config
from tinycerb.config.user_sources import USER, Sources
from tinycerb.conversion.from_run import convert_victim
from tinycerb.datasets import load_dataset
from tinycerb.events import ignore
from tinycerb.file_names import MODEL, TRAINING
from tinycerb.jobs.check_names import check_names
from tinycerb.keras_models.legacy import keras
from tinycerb.presets import preset_names, read_preset
from tinycerb.run.victim import victims_of
from tinycerb.seal.files import read_json
from tinycerb.training.augmentation import check_reach, parse_augmentation
from tinycerb.training.victim import train_dense, train_victim

# What the images of each look like, and how many classes there are.
TASKS: dict[str, tuple[tuple[int, int, int], int]] = {
    "image-classification": ((32, 32, 3), 10),
    "image-classification-short": ((32, 32, 3), 10),
    "traffic-signs": ((32, 32, 3), 43),
    "keyword-spotting": ((49, 10, 1), 12),
    "person-detection": ((96, 96, 3), 2),
}
FEW = [
    *(f"training.{stage}_epochs=1" for stage in ("dense", "pruning", "recovery", "quantization")),
    "training.warm_up_epochs=0", "training.batch_size=16", "data.validation_images=16",
]  # fmt: skip


@pytest.mark.parametrize("preset", [name for name in TASKS if name != "image-classification-short"])
def test_it_trains_converts_and_answers_on_a_board(preset: str, cli, tmp_path: Path) -> None:
    (height, width, channels), classes = TASKS[preset]
    rng = np.random.default_rng(9)
    labels = np.arange(96) % classes
    images = rng.integers(0, 256, (96, height, width, channels), dtype=np.uint8)
    np.savez(
        tmp_path / "drawn.npz", train_images=images, train_labels=labels, test_images=images[:48],
        test_labels=labels[:48], train_groups=np.arange(96) // 2,
    )  # fmt: skip
    config = load_config(preset, FEW, Sources(data=str(tmp_path / "drawn.npz")))
    config = replace(config, victims=config.victims[:1])
    keras.backend.clear_session()
    dataset, folder = load_dataset(config.data), tmp_path / "victim"
    assert dataset.split == "grouped"
    (victim,) = victims_of(config).values()
    train_dense(config, victim, dataset, tmp_path / "dense", ignore)
    train_victim(config, victim, dataset, tmp_path / "dense", folder, ignore)
    convert_victim(config, victim, dataset, folder, ignore)
    assert [row["stage"] for row in read_json(folder / TRAINING)["history"]] == [
        "dense", "prune", "recover", "quantize",
    ]  # fmt: skip
    flashed = cli("flash", folder / MODEL, "--board", "qemu-m4")
    assert flashed.returncode == 0, flashed.stderr
    assert re.search(r"golden +(\d+) of \1 vectors right", flashed.stdout)


@pytest.mark.parametrize("preset", TASKS)
def test_its_first_lines_say_how_long_it_takes_and_how_good_it_becomes(preset: str) -> None:
    comment = " ".join(line[2:] for line in read_preset(preset).splitlines() if line.startswith("# "))
    config = load_config(preset)
    training = config.training
    epochs = (
        training.dense_epochs + training.pruning_epochs + training.recovery_epochs + training.quantization_epochs
    )  # fmt: skip
    assert f"{epochs} epochs" in comment
    assert "core-hours" in comment
    measured = re.search(r"test accuracy \d\d\.\d % float, \d\d\.\d % int8", comment)
    assert bool(measured) is ("was not measured here" not in comment)
    assert ("--data" if config.data.name == USER else "datasets.fetch") in comment


@pytest.mark.parametrize("preset", TASKS)
def test_its_recipe_is_known_and_fits_its_images(preset: str) -> None:
    config = load_config(preset)
    check_names(config)
    chain = parse_augmentation(config.training.augmentation)
    check_reach(chain, TASKS[preset][0])
    assert {each.data for each in chain} == {"spectrograms" if preset == "keyword-spotting" else "pictures"}


def test_presets_of_before_ask_for_nothing_new() -> None:
    """Their figures were made with plain Adam on images as they are."""
    for preset in set(preset_names()) - set(TASKS):
        training, plain = load_config(preset).training, load_config("demo").training
        kept = ("dense_epochs", "pruning_epochs", "recovery_epochs", "quantization_epochs", "batch_size")
        assert replace(training, **{key: getattr(plain, key) for key in kept}) == plain
        assert (training.optimizer, training.augmentation, training.average_decay) == ("adam", "", 0.0)
        assert not load_config(preset).distillation.backbone
