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
    arrays = read_gtsrb(tmp_path)
    assert arrays["train_images"].shape == (2, 32, 32, 3)
    assert arrays["train_images"][:, 5, 7].tolist() == [[200, 0, 0], [0, 200, 0]]
    assert arrays["train_labels"].tolist() == [0, 42]
    assert arrays["test_images"][0, 5, 7].tolist() == [0, 0, 200]
    assert arrays["test_labels"].tolist() == [16]


def test_frames_of_tracks_and_their_groups(tmp_path) -> None:
    unpack(tmp_path)
    for track in (0, 1):
        for frame in range(3):
            path = tmp_path / f"GTSRB/Final_Training/Images/00000/{track:05}_{frame:05}.ppm"
            sign(path, (20, 20), (track, frame, 0))
    assert read_gtsrb(tmp_path)["train_groups"].tolist() == [0, 0, 0, 1, 1, 1, 2]
    arrays = read_gtsrb(tmp_path, [0, 2])
    assert arrays["train_images"][:4, 5, 7].tolist() == [[0, 0, 0], [0, 2, 0], [1, 0, 0], [1, 2, 0]]
    assert arrays["train_groups"].tolist() == [0, 0, 1, 1, 2]
    assert arrays["train_labels"].tolist() == [0, 0, 0, 0, 42]


def test_frames_that_no_track_has(tmp_path) -> None:
    unpack(tmp_path)
    with pytest.raises(EnvironmentProblem, match="has none of the frames 31; allowed: 0 to 29"):
        read_gtsrb(tmp_path, [31])


def test_a_file_that_is_no_frame(tmp_path) -> None:
    unpack(tmp_path)
    sign(tmp_path / "GTSRB/Final_Training/Images/00042/sign.ppm", (20, 20), (0, 0, 0))
    with pytest.raises(EnvironmentProblem, match=r"has a file that is not called TRACK_FRAME\.ppm"):
        read_gtsrb(tmp_path)


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
