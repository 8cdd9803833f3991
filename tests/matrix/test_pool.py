"""What a pool of workers believes."""

import pytest

from tinycerb.errors import EnvironmentProblem
from tinycerb.matrix import pool
from tinycerb.matrix.cells import list_cells
from tinycerb.matrix.display import make_matrix_display


def test_a_worker_that_says_finished_and_leaves_no_cell_is_not_believed(matrix, tmp_path, monkeypatch) -> None:
    cells, _ = list_cells([matrix])
    liar = tmp_path / "python"
    liar.write_text('#!/bin/sh\nread order\necho \'{"finished": true, "seconds": 1.0}\'\nread order\n')
    liar.chmod(0o755)
    monkeypatch.setattr(pool.sys, "executable", str(liar))
    gone = str(matrix.cell(cells[0].digest))
    with pytest.raises(EnvironmentProblem, match="its worker says that it is finished") as caught:
        pool.compute_locally(matrix, cells[:1], 1, make_matrix_display(1, quiet=True))
    assert gone in str(caught.value)
    assert f"--resume {matrix.path}" in str(caught.value)
