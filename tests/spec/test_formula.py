"""Formulas mean what NumPy means, and a wrong one says where and why."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

from symdiff.errors import SpecError
from symdiff.expr import build
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from symdiff.spec.calls import UserFunction
from symdiff.spec.formula import parse_formula
from symdiff.spec.syntax import parse
from symdiff.spec.values import Symbolic

RNG = np.random.default_rng(0)
ARRAYS = {
    "x": RNG.normal(size=(5, 6)),
    "z": RNG.normal(size=(5, 4)),
    "W": RNG.normal(size=(6, 4)),
    "v": RNG.normal(size=4),
    "E": RNG.normal(size=(9, 3)),
    "y": RNG.integers(0, 4, size=5),
    "k": np.array(2),
    "ids": RNG.integers(0, 9, size=(5, 2)),
}
NAMES: dict[str, Any] = {
    "x": build.input("x", ("batch", 6)),
    "z": build.input("z", ("batch", 4)),
    "W": build.parameter("W", (6, 4)),
    "v": build.input("v", (4,)),
    "E": build.parameter("E", (9, 3)),
    "y": build.input("y", ("batch",), "int64", labels=4),
    "k": build.input("k", (), "int64", labels=4),
    "ids": build.input("ids", ("batch", 2), "int64", labels=9),
    "batch": Symbolic("batch"),
    "hidden": 4,
}

Numpy = Callable[..., Any]

SAME_AS_NUMPY: dict[str, Numpy] = {
    "x @ W + v": lambda x, W, v, **_: x @ W + v,
    "-x / 2 - 3 * x**2": lambda x, **_: -x / 2 - 3 * x**2,
    "2 ** x": lambda x, **_: 2**x,
    "-v**2": lambda v, **_: -(v**2),
    "np.exp(x) * numpy.pi": lambda x, **_: np.exp(x) * np.pi,
    "z[arange(batch), y]": lambda z, y, **_: z[np.arange(5), y],
    "z[np.arange(batch), y] * e": lambda z, y, **_: z[np.arange(5), y] * math.e,
    "jax.nn.relu(x) + jnp.tanh(x) + jax.numpy.sin(x)": lambda x, **_: (
        np.maximum(x, 0) + np.tanh(x) + np.sin(x)
    ),
    "broadcast_to(x[:, :1], x.shape[:-1] + (2,))": lambda x, **_: np.broadcast_to(x[:, :1], (5, 2)),
    "scipy.special.expit(x)": lambda x, **_: special.expit(x),
    "np.tile(v, (batch, 2))": lambda v, **_: np.tile(v, (5, 2)),
    "x.ravel() + x[:1].squeeze()[0]": lambda x, **_: x.ravel() + x[0, 0],
    "v[k]": lambda v, k, **_: v[k],
    "E[ids]": lambda E, ids, **_: E[ids],
    "z[[0, 2]]": lambda z, **_: z[[0, 2]],
    "x[:, 1:5:2]": lambda x, **_: x[:, 1:5:2],
    "x[..., -1]": lambda x, **_: x[..., -1],
    "x[:, None] * v[:, None]": lambda x, v, **_: x[:, None] * v[:, None],
    "x[::-1]": lambda x, **_: x[::-1],
    "x[np.newaxis].T": lambda x, **_: x[np.newaxis].T,
    "x.T @ x": lambda x, **_: x.T @ x,
    "(x > 0) * x + (x <= 0)": lambda x, **_: (x > 0) * x + (x <= 0),
    "1 < x": lambda x, **_: x > 1,
    "where(x != 0, 1 / x, 0)": lambda x, **_: 1 / x,
    "y == 2": lambda y, **_: y == 2,
    "sum(x, axis=0, keepdims=True)": lambda x, **_: x.sum(0, keepdims=True),
    "x.sum(1).mean()": lambda x, **_: x.sum(1).mean(),
    "x.max(axis=-1) - x.min(1)": lambda x, **_: np.ptp(x, axis=1),
    "x.reshape(-1)": lambda x, **_: x.reshape(-1),
    "x.reshape(batch * 2, 3)": lambda x, **_: x.reshape(10, 3),
    "reshape(x, (batch, 2, -1))": lambda x, **_: x.reshape(5, 2, -1),
    "reshape(x, x.shape[::-1])": lambda x, **_: x.reshape(6, 5),
    "x.transpose(1, 0).swapaxes(0, 1)": lambda x, **_: x,
    "transpose(x, (1, 0))": lambda x, **_: x.T,
    "x.dot(W)": lambda x, W, **_: x @ W,
    "sum(x) / x.shape[0] + hidden": lambda x, **_: x.sum() / 5 + 4,
    "zeros((batch, hidden)) + v": lambda v, **_: np.zeros((5, 4)) + v,
    "einsum('jk,kl->jl', x, W)": lambda x, W, **_: x @ W,
    "concatenate([x, z], axis=1)": lambda x, z, **_: np.concatenate([x, z], 1),
    "stack((v, 2 * v), axis=1)": lambda v, **_: np.stack((v, 2 * v), 1),
    "array([1, 2, 3, 4]) * v": lambda v, **_: np.array([1, 2, 3, 4]) * v,
    "one_hot(y, hidden)": lambda y, **_: np.eye(4)[y],
    "eye(hidden) @ v": lambda v, **_: v,
    "var(x, 0) + std(x, 0)": lambda x, **_: x.var(0) + x.std(0),
    "logsumexp(x, axis=1)": lambda x, **_: special.logsumexp(x, axis=1),
    "softmax(x)": lambda x, **_: special.softmax(x, axis=-1),
    "clip(x, -1, None)": lambda x, **_: np.clip(x, -1, None),
    "take(x, [0, 1], axis=1)": lambda x, **_: x[:, :2],
    "gelu(x, approximate=False)": lambda x, **_: x * special.ndtr(x),
    "  x\n  + 1  ": lambda x, **_: x + 1,
}


def error(text: str, **more: Any) -> str:
    """The one fault of a formula, without the source's name."""
    with pytest.raises(SpecError) as caught:
        parse_formula(text, {**NAMES, **more})
    (line,) = caught.value.lines
    return line.removeprefix("EXPR:")


@pytest.mark.parametrize("text", SAME_AS_NUMPY)
def test_formulas_have_numpys_meaning(text: str) -> None:
    node = parse_formula(text, NAMES)
    expected = np.asarray(SAME_AS_NUMPY[text](**ARRAYS))
    ours = evaluate(node, ARRAYS, {"batch": 5})
    assert ours.shape == expected.shape
    np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=1e-12)


def test_numbers_and_sizes_fold_before_they_become_nodes() -> None:
    assert parse_formula("0.5 * 1e-4 * v", NAMES) is 5e-05 * NAMES["v"]
    assert parse_formula("arange(batch + 1 - 1)", NAMES) is build.arange("batch")


def test_names_win_over_functions_and_constants() -> None:
    a = build.input("a", (3,))
    for name in ("e", "pi", "inf", "exp", "sum", "np", "softmax"):
        assert parse_formula(name, {name: a}) is a
    assert parse_formula("np.exp(exp)", {"exp": a}) is build.exp(a)
    assert error("exp(x)", exp=a) == "1:1: error: name 'exp' is not a function"
    assert error("np.exp(x)", np=a) == "1:1: error: unknown method .exp"


def test_user_functions_are_inlined_and_win_over_built_in_ones() -> None:
    twice = UserFunction("twice", ("a",), parse("2 * a"))
    relu = UserFunction("relu", ("t", "u"), parse("twice(t) - u / n"), {"n": 4}, {"twice": twice})
    functions = {"twice": twice, "relu": relu}
    assert parse_formula("relu(twice(v), u=v)", NAMES, functions) is 4 * NAMES["v"] - NAMES["v"] / 4
    with pytest.raises(SpecError, match=r"1:5: error: in relu: 2 \* a: \* needs numbers"):
        parse_formula("v + relu((1, 2), 3)", NAMES, functions)


FAULTS = {
    "x.reshape(len(x), -1)": "1:11: error: unknown function 'len'; did you mean 'flatten'?",
    "relu(xx)": "1:6: error: unknown name 'xx'; did you mean 'x'?",
    "relu(x) + reluu(z)": "1:11: error: unknown function 'reluu'; did you mean 'relu'?",
    "x @ z": "1:1: error: x @ z: matmul: x of shape (batch, 6) and z of shape (batch, 4): "
    "the inner sizes 6 and batch differ",
    "1 + softmax(x, axes=1)": "1:5: error: softmax(x, axes=1): got an unexpected keyword argument "
    "'axes'; it is softmax(x, axis=-1)",
    "softmax(x, axis='a')": "1:1: error: softmax(x, axis='a'): argument axis: a whole number is "
    "expected, not a string",
    "x.foo": "1:1: error: .foo is not a part of a formula",
    "x.summ()": "1:1: error: unknown method .summ; did you mean 'sum'?",
    "x.sum": "1:1: error: .sum is a method; it must be called",
    "relu": "1:1: error: 'relu' is a function; it must be called",
    "np.relux(x)": "1:1: error: unknown function 'relux'; did you mean 'relu'?",
    "x // 2": "1:1: error: // is not a part of a formula",
    "x + (z if y else v)": "1:6: error: 'if' (use where(condition, a, b) instead) is not a part "
    "of a formula",
    "(lambda q: q)(x)": "1:2: error: only a function's name can be called",
    "0 < x < 1": "1:1: error: a chain of comparisons; write (a < b) * (b < c)",
    "exp(*x)": "1:5: error: * is not a part of a formula",
    "softmax(x, **v)": "1:14: error: ** is not a part of a formula here",
    "": "1:1: error: the formula is empty",
    "x  # the input": "1:4: error: a comment cannot stand in a formula",
    "9**9**9": "1:1: error: 9**9**9: the number is too large",
    "9**99 * x": "1:1: error: 9**99: the number is too large",
    "1e999": "1:1: error: the number is too large; write inf for infinity",
    "9" * 5000: "1:1: error: cannot be read: the number is too large",
    "x + 2j": "1:5: error: 2j is neither a real number nor a string",
    "1 / 0": "1:1: error: 1 / 0: division by zero",
    "(-1) ** 0.5": "1:1: error: (-1) ** 0.5: the value is not a real number",
    "x.shape": "1:1: error: a formula gives an array, not a tuple",
    "'x'": "1:1: error: a formula gives an array, not a string",
    "x + 'a'": "1:1: error: x + 'a': + needs numbers or arrays, not a string",
    "x[0.5]": "1:1: error: x[0.5]: 0.5 is not an index",
    "x.shape[2]": "1:1: error: x.shape[2]: index 2 is out of range for 2 sizes",
    "x[:, :'a']": "1:6: error: :'a': the bounds of a slice are whole numbers, not a string",
    "x @\n  zz": "2:3: error: unknown name 'zz'; did you mean 'z'?",
    "σ + x": "1:1: error: unknown name 'σ'",
    "'σσ' + xx": "1:8: error: unknown name 'xx'; did you mean 'x'?",
    "__import__('os')": "1:1: error: unknown function '__import__'",
    "x.__class__": "1:1: error: .__class__ is not a part of a formula",
}


@pytest.mark.parametrize("text", FAULTS, ids=lambda text: text[:20])
def test_a_fault_has_its_column_and_its_reason(text: str) -> None:
    assert error(text) == FAULTS[text]


@pytest.mark.parametrize(
    ("text", "column"), [("x = 3", 3), ("(x", 1), ("x +", 3), ("x y", 3), ("1 +* x", 4), ("'x", 1)]
)
def test_what_is_no_expression_is_placed_where_python_says(text: str, column: int) -> None:
    assert error(text).startswith(f"1:{column}: error: cannot be read: ")


@pytest.mark.parametrize(
    "text",
    ["(" * 2000 + "x" + ")" * 2000, "-" * 20000 + "x", "exp(" * 2000 + "x" + ")" * 2000,
     "x" + ".T" * 9000, "x**" * 9000 + "x", "x" + "[0]" * 9000],
    ids=lambda text: text[:5],
)  # fmt: skip
def test_nesting_without_end_is_a_fault(text: str) -> None:
    assert "too" in error(text)


def test_every_fault_of_a_formula_is_found_and_none_follows_from_another() -> None:
    with pytest.raises(SpecError) as caught:
        parse_formula("softmax(aa @ W, axes=2) + foo(bb) * (x @ z)", NAMES)
    assert [(fault.column, fault.message[:14]) for fault in caught.value.faults] == [
        (1, "softmax(aa @ W"),
        (9, "unknown name '"),
        (27, "unknown functi"),
        (31, "unknown name '"),
        (38, "x @ z: matmul:"),
    ]


def test_long_sums_need_no_recursion() -> None:
    total = parse_formula(" + ".join(["v"] * 2000), NAMES)
    assert total is 2000 * NAMES["v"]


def test_functions_that_double_at_every_level_are_stopped() -> None:
    functions: dict[str, UserFunction] = {}
    for i in range(60):
        body = "a + 1" if i == 0 else f"f{i - 1}(f{i - 1}(a))"
        functions[f"f{i}"] = UserFunction(f"f{i}", ("a",), parse(body), {}, dict(functions))
    with pytest.raises(SpecError, match="more than 200000 steps"):
        parse_formula("f59(v)", NAMES, functions)


def test_a_number_alone_is_a_constant_of_the_default_dtype() -> None:
    with build.default_dtype("float32"):
        node = parse_formula("0.5 * pi", {})
    assert isinstance(node, Node)
    assert (node.op, node.dtype, node.shape) == ("constant", "float32", ())
