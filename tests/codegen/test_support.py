"""The support functions: text of emitted modules, and functions that can be called here."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest

from codegen.names import Names
from codegen.support import kernels, vectors
from codegen.support_text import (
    FILES,
    TABLES,
    function_texts,
    import_lines,
    needed,
    renamed,
    support_functions,
)


def test_every_file_gives_functions() -> None:
    assert {"_softmax", "_check_inputs", "_unflatten", "_gradient_error"} <= set(
        support_functions()
    )
    assert len(FILES) == 4


def test_nothing_but_locals_stands_in_f_strings() -> None:
    """What is renamed must not stand where renaming does not look."""
    known = {*support_functions(), *TABLES, "np", "math"}
    for name, function in support_functions().items():
        for node in ast.walk(ast.parse(function.text)):
            if isinstance(node, ast.JoinedStr):
                names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
                assert not names & known, name


def test_a_function_brings_what_it_calls() -> None:
    assert needed(["_log_softmax"]) == ["np", "_peak", "_largest", "_log_softmax"]
    texts = function_texts(Names(()), ["_logsumexp"])
    assert [text.split("(")[0] for text in texts] == [
        "def _peak",
        "def _largest",
        "def _logsumexp",
    ]


def test_names_change_and_attributes_do_not() -> None:
    source = "def f(np):\n    return np.np + g.np(f)\n"
    assert renamed(source, {"np": "q", "f": "h"}) == "def h(q):\n    return q.np + g.np(h)\n"


def test_imports_step_aside() -> None:
    assert import_lines(Names({"np"}), ["erf"]) == [
        "import numpy as np_",
        "from scipy.special import erf",
    ]
    assert import_lines(Names({"erf"}), ["erf", "_unflatten"]) == [
        "import math",
        "",
        "import numpy as np",
        "from scipy.special import erf as erf_",
    ]


def test_sigmoid_keeps_its_tails() -> None:
    x = np.array([-700.0, -40.0, 0.0, 40.0])
    expected = [9.859676543759770e-305, 4.248354255291589e-18, 0.5, 1.0]
    np.testing.assert_allclose(kernels._sigmoid(x), expected, rtol=1e-14)


def test_scatter_add_accumulates_duplicates() -> None:
    rows = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    result = kernels._scatter_add(rows, np.array([2, 0, 2]), 4)
    np.testing.assert_array_equal(result, [[3, 4], [0, 0], [6, 8], [0, 0]])


@pytest.mark.parametrize(("total", "size"), [(0, 0), (12, 3), (400, 100)])
def test_the_missing_size_is_found(total: int, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "PARAMETERS", {"W": ("n", 3), "b": ("n",)})
    monkeypatch.setattr(vectors, "_TRAINABLE", ("W", "b"))
    arrays = vectors._unflatten("flat", np.arange(total), {"n": None})
    assert arrays["W"].shape == (size, 3)
    assert arrays["b"].shape == (size,)


@pytest.mark.parametrize("bad", [0.0, np.inf, -np.inf, np.nan])
def test_what_a_mask_leaves_out_is_zero_whatever_it_is(bad: float) -> None:
    x = np.array([[1.0, bad, -2.0], [3.0, 4.0, bad]])
    mask = np.array([[True, False, True], [False, True, False]])
    expected = [[1.0, 0.0, -2.0], [0.0, 4.0, 0.0]]
    masked: Any = kernels._masked
    np.testing.assert_array_equal(masked(x, mask), expected)
    out = np.empty_like(x)
    assert masked(x, mask, out=out) is out
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(masked(x[:1], mask, out=out), np.where(mask, x[:1], 0))
    masked(x, mask, out=x)
    np.testing.assert_array_equal(x, expected)
