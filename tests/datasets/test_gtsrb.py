"""Traffic signs as their archives unpack."""

import pytest
from PIL import Image

from tinycerb.datasets.gtsrb import read_gtsrb
from tinycerb.errors import EnvironmentProblem


def sign(path, size: tuple[int, int], colour: tuple[int, int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def unpack(folder) -> None:
    sign(folder / "GTSRB/Final_Training/Images/00000/00000_00000.ppm", (29, 30), (200, 0, 0))
    sign(folder / "GTSRB/Final_Training/Images/00042/00000_00000.ppm", (90, 64), (0, 200, 0))
    sign(folder / "GTSRB/Final_Test/Images/00000.ppm", (15, 15), (0, 0, 200))
    head = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"
    (folder / "GT-final_test.csv").write_text(f"{head}\r\n00000.ppm;15;15;1;1;14;14;16\r\n")


def test_images_of_all_sizes_and_their_labels(tmp_path) -> None:
    unpack(tmp_path)
    (train_images, train_labels), (test_images, test_labels) = read_gtsrb(tmp_path)
    assert train_images.shape == (2, 32, 32, 3)
    assert train_images[:, 5, 7].tolist() == [[200, 0, 0], [0, 200, 0]]
    assert train_labels.tolist() == [0, 42]
    assert test_images[0, 5, 7].tolist() == [0, 0, 200]
    assert test_labels.tolist() == [16]


def test_a_missing_table(tmp_path) -> None:
    unpack(tmp_path)
    (tmp_path / "GT-final_test.csv").unlink()
    with pytest.raises(EnvironmentProblem, match=r"GT-final_test\.csv cannot be read"):
        read_gtsrb(tmp_path)


def test_a_missing_image(tmp_path) -> None:
    unpack(tmp_path)
    (tmp_path / "GTSRB/Final_Test/Images/00000.ppm").unlink()
    with pytest.raises(EnvironmentProblem, match=r"00000\.ppm cannot be read"):
        read_gtsrb(tmp_path)


def test_no_training_images(tmp_path) -> None:
    unpack(tmp_path)
    for path in (tmp_path / "GTSRB/Final_Training").rglob("*.ppm"):
        path.unlink()
    with pytest.raises(EnvironmentProblem, match="has no images; expected one folder per class"):
        read_gtsrb(tmp_path)
