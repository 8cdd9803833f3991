"""Names of classes are one line of text each, of bounded length, in any script."""

from pathlib import Path

import numpy as np
import pytest

from tinycerb.conversion.options import ConversionOptions, _class_names
from tinycerb.datasets.arrays import check_class_names
from tinycerb.datasets.user_data import load_user_data
from tinycerb.errors import UsageError


def test_any_script_and_any_sign_is_a_name() -> None:
    check_class_names(("$a_b$", "<b>", "\u05d0\u05d1", "\U0001f469\u200d\U0001f52c", "no-break\u00a0space", "x" * 100))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("x" * 20_000, r"class 1 has 20,000 characters \('xxxxx.*; allowed: 1 to 100"),
        ("", "class 1 has 0 characters"),
        ("two\nlines", r"class 1 is 'two\\nlines'; allowed: one line of text"),
        ("two\u2028lines", "allowed: one line of text"),
        ("\x1b[31mred", "allowed: one line of text"),
        ("half \ud83d", "allowed: one line of text"),
    ],
)
def test_what_is_no_name_is_refused_with_its_number(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        check_class_names(("fine", name))
    with pytest.raises(UsageError, match=told):
        _class_names(ConversionOptions(class_names=("fine", name)), 2)
    if name:
        # NumPy leaves surrogates as they are.
        images = np.random.default_rng(1).integers(0, 256, (200, 10, 10, 1)).astype(np.uint8)
        np.savez(tmp_path / "d.npz", images=images, labels=np.arange(200) % 2, class_names=np.array(["fine", name]))
        with pytest.raises(UsageError, match=told):
            load_user_data(str(tmp_path / "d.npz"))
