"""The undefended network that defences lead away from: trained as long and on images changed as the run says."""

import numpy as np

from tinycerb.config import load_config
from tinycerb.datasets import load_dataset
from tinycerb.datasets.images import Dataset, LabelledImages
from tinycerb.keras_models.legacy import keras
from tinycerb.run.victim import resolve_victim
from tinycerb.training import reference_classifier, victim
from tinycerb.training.augmentation import parse_augmentation

IMAGES = np.random.default_rng(2).integers(0, 256, (256, 8, 8, 1), dtype=np.uint8)
PART = LabelledImages(IMAGES, (IMAGES.mean(axis=(1, 2, 3)) > 127).astype(np.int32))


def build(heads: int) -> keras.Model:
    keras.utils.set_random_seed(1)
    image = keras.layers.Input((8, 8, 1))
    return keras.Model(image, keras.layers.Dense(2)(keras.layers.Flatten()(image)))


def posteriors(folder, data: Dataset, **options) -> tuple[np.ndarray, list[str]]:
    folder.mkdir()
    notes: list[str] = []
    reference = reference_classifier.ReferenceClassifier(
        data, IMAGES[:9], 1, folder, build, lambda progress: notes.append(progress.note), **options
    )
    return reference.posteriors(), notes


def test_it_is_trained_for_its_epochs_on_its_changed_images(tmp_path) -> None:
    data = Dataset("shades", "drawn", ("dark", "bright"), PART, PART, PART)
    short, _ = posteriors(tmp_path / "short", data)
    long, notes = posteriors(tmp_path / "long", data, epochs=7)
    changed, _ = posteriors(tmp_path / "changed", data, augmentation=parse_augmentation("flip"))
    again, _ = posteriors(tmp_path / "again", data, augmentation=parse_augmentation("flip"))
    assert notes == ["reference classifier, epoch 1/7"]
    assert np.abs(short - long).max() > 1e-3
    assert np.abs(short - changed).max() > 1e-5
    assert (changed == again).all()


def test_the_run_says_how_long_and_how(tmp_path, monkeypatch) -> None:
    asked = ["training.reference_epochs=11", "training.augmentation=flip", "out_of_distribution.images=100"]
    config = load_config("smoke", asked)
    seen: dict[str, object] = {}
    monkeypatch.setattr(victim, "ReferenceClassifier", lambda *args: seen.update(epochs=args[6], augmentation=args[7]))
    training = victim._prepare(
        config,
        resolve_victim(config.victims[0]),
        load_dataset(config.data),
        tmp_path,
        tmp_path,
        lambda progress: None,
        (),
        tmp_path,
    )
    training._setting("dense", None)
    assert seen == {"epochs": 11, "augmentation": parse_augmentation("flip")}
