"""The defender's own pictures beside what programs draw."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinycerb.bench.metrics import _pictures
from tinycerb.config import Config, load_config, parse_config
from tinycerb.datasets import load_dataset
from tinycerb.datasets.images import Dataset, image_fingerprints
from tinycerb.datasets.out_of_distribution import choose_pictures, out_of_distribution_images
from tinycerb.datasets.procedural import generate
from tinycerb.errors import EnvironmentProblem, UsageError

RNG = np.random.default_rng(4)
MINE = RNG.integers(0, 256, (90, 12, 10, 1), dtype=np.uint8)
FOREIGN = RNG.integers(0, 256, (40, 12, 10, 1), dtype=np.uint8)
PICTURES = RNG.integers(0, 256, (60, 12, 10, 1), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    np.savez(tmp_path / "data.npz", images=MINE, labels=np.arange(90) % 3)
    np.savez(tmp_path / "foreign.npz", images=FOREIGN)
    np.savez(tmp_path / "pictures.npz", images=PICTURES)
    return tmp_path


def config_of(folder: Path, sources: list[str], shares: list[float] | None = None, images: int = 100) -> Config:
    (folder / "run.toml").write_text(f"""
name = "pictures"
victims = [{{ name = "undefended" }}]
attacks = [{{ name = "a", query_pool = "foreign.npz" }}]
data = {{ name = "user", source = "data.npz", validation_images = 10 }}
[out_of_distribution]
images = {images}
families = ["strokes", "glyphs"]
sources = {sources}
shares = {shares or []}
""")
    return load_config(str(folder / "run.toml"))


def load(folder: Path, sources: list[str], **more) -> tuple[Config, Dataset]:
    config = config_of(folder, sources, **more)
    return config, load_dataset(config.data)


def test_without_sources_the_images_are_those_that_families_draw(folder) -> None:
    config, dataset = load(folder, [])
    found = out_of_distribution_images(config, dataset)
    assert (found.images == generate(["strokes", "glyphs"], 100, dataset.train.images, config.seed)).all()
    assert found.sources == ()


def test_a_source_gives_its_share_and_families_draw_the_rest(folder) -> None:
    config, dataset = load(folder, ["./pictures.npz"], shares=[0.25])
    found = out_of_distribution_images(config, dataset)
    assert found.images.shape == (100, 12, 10, 1)
    of_the_source = np.isin(image_fingerprints(found.images), image_fingerprints(PICTURES))
    assert of_the_source.sum() == found.sources[0].images == 25
    assert not of_the_source[:25].all(), "they are mixed"
    drawn = generate(["strokes", "glyphs"], 75, dataset.train.images, config.seed)
    assert set(image_fingerprints(found.images[~of_the_source])) == set(image_fingerprints(drawn))
    again = out_of_distribution_images(config, dataset)
    assert (again.images == found.images).all()
    other = out_of_distribution_images(replace(config, seed=2), dataset)
    assert set(image_fingerprints(other.images)) != set(image_fingerprints(found.images))


def test_without_shares_a_source_counts_like_a_family_and_none_of_its_images_comes_twice(folder) -> None:
    config, dataset = load(folder, ["./pictures.npz"], images=90)
    assert out_of_distribution_images(config, dataset).sources[0].images == 30
    config, dataset = load(folder, ["./pictures.npz"], shares=[0.9])
    found = out_of_distribution_images(config, dataset)
    assert found.sources[0].images == found.sources[0].distinct == 60
    assert len(found.images) == 100
    assert len(np.unique(image_fingerprints(found.images))) == 100


def test_images_of_an_attacker_or_of_the_task_are_left_out_and_counted(folder) -> None:
    together = np.concatenate([PICTURES[:20], FOREIGN[:7], MINE[:5], PICTURES[:3]])
    np.savez(folder / "mixed.npz", images=together)
    config, dataset = load(folder, ["./mixed.npz"], shares=[1.0])
    found = out_of_distribution_images(config, dataset)
    (use,) = found.sources
    assert (use.images, use.distinct, use.shared) == (20, 32, 12)
    assert str(use) == "20 of mixed.npz; 12 of 32, an attacker's or the task's own, left out"
    others = image_fingerprints(np.concatenate([FOREIGN, MINE]))
    assert not np.isin(image_fingerprints(found.images), others).any()


def test_a_source_that_others_have_wholly_is_refused(folder) -> None:
    with pytest.raises(UsageError, match=r"all 40 images of .*foreign.npz are an attacker's"):
        choose_pictures(*load(folder, ["./foreign.npz"]))
    np.savez(folder / "same.npz", images=PICTURES[:10])
    with pytest.raises(UsageError, match=r"all 10 images of .*same.npz are .*another source's"):
        choose_pictures(*load(folder, ["./pictures.npz", "./same.npz"], shares=[0.6, 0.1]))


def test_a_folder_of_pictures_of_any_size_and_colour(folder) -> None:
    (folder / "own" / "below").mkdir(parents=True)
    Image.new("RGB", (64, 40), (255, 0, 0)).save(folder / "own" / "a.png")
    Image.new("L", (9, 30), 200).save(folder / "own" / "below" / "b.png")
    config, dataset = load(folder, ["./own/"], shares=[0.5])
    ((use, images),) = choose_pictures(config, dataset)
    assert sorted(images.reshape(2, -1)[:, 0].tolist()) == [76, 200]
    assert images.shape == (2, 12, 10, 1)
    assert str(use) == "2 of own"


@pytest.mark.parametrize(
    ("sources", "shares", "message"),
    [
        (["./pictures.npz"], [0.5, 0.2], r"shares is \[0\.5, 0\.2\] for 1 sources; allowed: one for each"),
        (["./pictures.npz", "./foreign.npz"], [0.7, 0.7], r"1\.4 in all; allowed: at most 1"),
        (["./pictures.npz"], [0.0], "shares has 0.0; allowed: above 0"),
        (["in_distribution"], [], "no pool of another kind; allowed: .*tiny_imagenet_defender"),
        (["tiny_imagenet_own_kind"], [], "'tiny_imagenet_own_kind' .*no pool of another kind"),
        (["animals"], [], "unknown query pool 'animals'"),
        (["./empty/"], [], "empty has no images"),
    ],
)
def test_what_does_not_fit_is_named(folder, sources, shares, message) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(UsageError, match=message):
        choose_pictures(*load(folder, sources, shares=shares))


def test_a_missing_source_is_named(folder) -> None:
    with pytest.raises(EnvironmentProblem, match=r"there is no .*gone.npz"):
        choose_pictures(*load(folder, ["./gone.npz"]))


def test_paths_count_from_the_file_and_survive_the_runs_own_configuration(folder) -> None:
    config = config_of(folder, ["./pictures.npz", "tiny_imagenet_defender"])
    assert config.out_of_distribution.sources == (str(folder / "pictures.npz"), "tiny_imagenet_defender")
    assert parse_config(config.to_toml(), "here") == config


def test_the_report_says_what_a_victim_has_learned_from() -> None:
    use = {"source": "/home/me/pictures.npz", "images": 20, "distinct": 32, "shared": 12}
    victims = {name: {"training": {"sources": [use]}} for name in ("one", "two")} | {"plain": {"training": {}}}
    (note,) = _pictures(victims)  # type: ignore[arg-type]
    assert "one, two learned from pictures beside what programs draw: 20 of pictures.npz; 12 of 32, an attacker" in note
