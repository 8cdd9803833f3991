"""Lemire's draw, word by word: which words of the random source choose which head, and which are thrown away."""

import ctypes
import subprocess
from collections.abc import Callable

import pytest

from tinycerb.boards.build import firmware_folder

HARNESS = """
#include "tinycerb.h"
#include <string.h>
static const uint8_t *words;
static int drawn;
static int from_words(uint8_t *bytes, size_t count) {
    memcpy(bytes, words + 8 * drawn++, count);
    return 1;
}
int head_of(const uint8_t *given, int heads, int *draws);
int head_of(const uint8_t *given, int heads, int *draws) {
    tc_model model = {.input_bytes = 1, .heads = heads};
    const tc_selector selector = {TC_SELECT_RANDOM, 0, from_words};
    const int8_t image = 0;
    int32_t head = -1;
    words = given;
    drawn = 0;
    const tc_status status = tc_select_head(&model, &selector, &image, &head);
    *draws = drawn;
    return status == TC_OK ? head : -1;
}
"""


@pytest.fixture(scope="module")
def draw(tmp_path_factory) -> Callable[..., tuple[int, int]]:
    """Returns the head that 32-bit words choose, two to a draw, and how many draws that has taken."""
    folder, root = tmp_path_factory.mktemp("draw"), firmware_folder()
    (folder / "draw.c").write_text(HARNESS)
    sources = [folder / "draw.c", root / "runtime" / "siphash.c", root / "runtime" / "select_head.c"]
    command = ["cc", "-std=c99", "-O1", "-shared", "-fPIC", f"-I{root / 'include'}", "-o", str(folder / "draw.so")]
    subprocess.run([*command, *map(str, sources)], check=True)
    library = ctypes.CDLL(str(folder / "draw.so"))

    def head_of(heads: int, *words: int) -> tuple[int, int]:
        draws = ctypes.c_int()
        head = library.head_of(b"".join(word.to_bytes(4, "little") for word in words), heads, ctypes.byref(draws))
        return head, draws.value

    return head_of


@pytest.mark.parametrize(
    ("word", "head"),
    # Thirds of 2^32, to the last bit of every byte.
    [(0x55555555, 0), (0x55555556, 1), (0xAAAAAAAA, 1), (0xAAAAAAAB, 2), (0xFFFFFFFF, 2)],
)
def test_a_word_chooses_its_third(draw, word: int, head: int) -> None:
    assert draw(3, word, 0) == (head, 1)


def test_words_that_favour_a_head_are_thrown_away(draw) -> None:
    """Of three heads, only the word 0 is: its product is below 2^32 mod 3 = 1. The product of 0xAAAAAAAB ends in 1."""
    assert draw(3, 0, 0xAAAAAAAB) == (2, 1)
    assert draw(3, 0, 0, 0x55555556, 0) == (1, 2)
    assert draw(3, 0, 0, 0, 0, 0, 0xFFFFFFFF) == (2, 3)


def test_of_four_heads_no_word_is_thrown_away(draw) -> None:
    assert [draw(4, word, 0) for word in (0, 0x40000000, 0xBFFFFFFF, 0xC0000000)] == [(0, 1), (1, 1), (2, 1), (3, 1)]
