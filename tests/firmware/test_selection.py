"""Head selection: the host's and the device's draw are the same."""

import ctypes
import subprocess

import numpy as np
import pytest

from tinycerb.answers.keyed_selection import coarse_keyed_heads, coarse_views, keyed_heads, siphash
from tinycerb.boards.build import firmware_folder

SECRET = bytes(range(16))
# heads as in tc_model, everything else unused by the draw
MODEL = """
#include "tinycerb.h"
static uint32_t drawn;
static int from_counter(uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) bytes[i] = i < 4 ? 0 : (uint8_t)(drawn * 37u + 11u);
    drawn++;
    return 1;
}
int head_of(int selection, const uint8_t *secret, const int8_t *image, int bytes, int heads, int with_random);
int head_of(int selection, const uint8_t *secret, const int8_t *image, int bytes, int heads, int with_random) {
    tc_model model = {.input_bytes = bytes, .heads = heads};
    const tc_selector selector = {(tc_selection)selection, secret, with_random ? from_counter : 0};
    int32_t head = -1;
    const tc_status status = tc_select_head(&model, &selector, image, &head);
    return status == TC_OK ? head : -(int)status;
}
"""


@pytest.fixture(scope="session")
def device_draw(tmp_path_factory):
    """The firmware's selection, compiled for this computer."""
    folder = tmp_path_factory.mktemp("selection")
    (folder / "draw.c").write_text(MODEL)
    root = firmware_folder()
    sources = [folder / "draw.c", root / "runtime" / "siphash.c", root / "runtime" / "select_head.c"]
    command = ["cc", "-std=c99", "-O1", "-shared", "-fPIC", f"-I{root / 'include'}", "-o", str(folder / "draw.so")]
    subprocess.run([*command, *map(str, sources)], check=True)
    library = ctypes.CDLL(str(folder / "draw.so"))

    def draw(selection: int, secret: bytes | None, image: np.ndarray, heads: int, with_random: bool = False) -> int:
        flat = np.ascontiguousarray(image).reshape(-1)
        return library.head_of(selection, secret, flat.ctypes.data_as(ctypes.c_void_p), flat.size, heads, with_random)

    return draw


def test_siphash_gives_the_vector_of_its_authors() -> None:
    assert int(siphash(SECRET, np.arange(15, dtype=np.uint8)[np.newaxis])[0]) == 0xA129CA6149BE45E5
    assert int(siphash(SECRET, np.zeros((1, 0), np.uint8))[0]) == 0x726FDB47DD0E0E31
    with pytest.raises(ValueError, match="the key has 3 bytes; expected 16"):
        siphash(b"abc", np.zeros((1, 4), np.uint8))


@pytest.mark.parametrize("heads", [2, 3, 7])
@pytest.mark.parametrize("size", [1, 8, 15, 784])
def test_host_and_device_draw_the_same_heads(device_draw, heads: int, size: int) -> None:
    images = np.random.default_rng(size).integers(-128, 128, (200, size), dtype=np.int8)
    for selection, host in ((2, keyed_heads), (3, coarse_keyed_heads)):
        expected = host(images, heads, SECRET)
        assert [device_draw(selection, SECRET, image, heads) for image in images] == expected.tolist()


def test_draws_are_even_and_depend_on_the_secret() -> None:
    images = np.random.default_rng(0).integers(-128, 128, (6000, 64), dtype=np.int8)
    for host in (keyed_heads, coarse_keyed_heads):
        heads = host(images, 3, SECRET)
        # Five standard deviations of an even draw.
        assert np.abs(np.bincount(heads, minlength=3) - 2000).max() < 5 * np.sqrt(6000 * 2 / 9)
        assert (host(images, 3, bytes(16)) != heads).mean() > 0.5
        assert (host(images, 3, SECRET) == heads).all()


def test_single_steps_rarely_change_the_coarse_view() -> None:
    rng = np.random.default_rng(2)
    images = rng.integers(-128, 127, (500, 28, 28, 1), dtype=np.int8)
    jittered = images.copy()
    jittered[:, 14, 14] += 1
    assert (coarse_views(jittered) != coarse_views(images)).mean() < 0.02
    assert (coarse_views(images + 1) == coarse_views(images)).all()
    assert (keyed_heads(jittered, 3, SECRET) != keyed_heads(images, 3, SECRET)).mean() > 0.5


def test_random_fixed_and_missing_secret(device_draw) -> None:
    image = np.zeros(16, np.int8)
    drawn = [device_draw(1, SECRET, image, 3, True) for _ in range(300)]
    assert set(drawn) == {0, 1, 2}
    # The generator's first word is always refused for three heads: the second one decides.
    assert device_draw(0, None, image, 3) == 0
    assert device_draw(2, None, image, 3) == -2
    # Without a generator the draw is keyed.
    assert device_draw(1, SECRET, image, 3) == keyed_heads(image[np.newaxis], 3, SECRET)[0]
