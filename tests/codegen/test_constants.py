"""What a call costs beside its arithmetic: numbers in arrays, constants that buffers keep."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from codegen import emit
from codegen.buffers import form_bytes
from codegen.builder import Builder
from codegen.building import build_program
from codegen.module import written_of
from codegen.operations import single_calls
from codegen.program import Program
from symdiff.compiler import compile_spec
from symdiff.expr import build as b
from symdiff.expr.node import Node
from symdiff.expr.shapes import size_value
from tests.codegen.models import describe_graph, loaded, run_graph

REGRESSION = """
name = "one_unit"
dtype = "float32"
[inputs]
x = { shape = ["batch", 3] }
y = { shape = ["batch", 1] }
[parameters]
W = { shape = [3, 1] }
c = { shape = [1] }
[equations]
z = "x @ W + c"
[loss]
per_example = "sum((z - y)**2, axis=1)"
"""
WIDE = b.input("x", ("n", 100), "float64")
NARROW = b.input("x", ("n", 8), "float64")
COLUMN = b.input("x", ("n", 1), "float64")


def kernel_of(outputs: dict[str, Node], dtype: str = "float64") -> str:
    """The text of the kernel that computes the outputs into buffers."""
    text = emit(describe_graph(outputs, dtype))
    return text[text.index("def _forward(") :].split("\n\n\n")[0]


@pytest.mark.parametrize(
    ("number", "name"), [(0.5, "_0_5"), (-2.0, "_minus_2"), (1.25, "_1_25"), (3.0, "_3")]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_short_numbers_stand_in_arrays(number: float, name: str, dtype: str) -> None:
    x = b.input("x", ("n", 8), dtype)
    y = b.exp(b.multiply(x, number))
    text = emit(describe_graph({"y": y}, dtype))
    assert re.search(rf"^{name} = np\.array\({number:g}, DTYPE\)$", text, re.M)
    assert f"np.multiply(x, {name}, out=b[0])" in text
    values = np.linspace(-1, 1, 24).reshape(3, 8).astype(dtype)
    got = run_graph({"y": y}, {"x": values}, dtype)["y"]
    assert got.dtype == dtype
    np.testing.assert_allclose(got, np.exp(values * number), rtol=1e-6)


@pytest.mark.parametrize("number", [0.1, 1 / 3, 1e-300, np.inf, -np.inf, np.nan])
def test_numbers_that_an_array_would_round_or_hide_stay_as_they_are(number: float) -> None:
    text = emit(describe_graph({"y": b.maximum(b.exp(NARROW), b.constant(number))}))
    assert "np.array(" not in text


def test_arrays_of_other_dtypes_meet_pythons_numbers() -> None:
    """An array of the module's dtype would make float64 of them; a Python number makes nothing."""
    k = b.input("k", ("n", 8), "int64")
    text = emit(describe_graph({"y": b.cast(b.maximum(k, 3), "float32")}, "float32"))
    assert "np.maximum(k, 3" in text


def test_a_module_checks_itself_in_float64_with_its_numbers() -> None:
    x = b.input("x", ("n", 8), "float32")
    module = loaded(describe_graph({"y": b.exp(x * 0.5) + 3.0}, "float32"))
    values = np.linspace(-1, 1, 24).reshape(3, 8)
    got = module._forward({}, values)["y"]
    assert got.dtype == np.float64
    np.testing.assert_allclose(got, np.exp(values * 0.5) + 3, rtol=1e-15)


def test_names_of_the_users_own_come_first() -> None:
    x = b.input("_0", ("n", 8), "float64")
    values = np.linspace(-1, 1, 24).reshape(3, 8)
    got = run_graph({"y": b.relu(x)}, {"_0": values})["y"]
    np.testing.assert_array_equal(got, np.maximum(values, 0))


@pytest.mark.parametrize(
    ("x", "zero"),
    [(WIDE, "zeros"), (NARROW, "_0"), (b.input("x", (100,), "float64"), "_0")],
    ids=["wide", "narrow", "a row"],
)
def test_wide_rows_are_compared_with_a_row_of_zeros(x: Node, zero: str) -> None:
    text = kernel_of({"y": b.relu(x)})
    assert f"np.maximum(x, {zero}, out=" in text
    values = np.random.default_rng(0).normal(size=[3 if s == "n" else int(str(s)) for s in x.shape])
    values.flat[:3] = -0.0, np.nan, -np.inf
    got = run_graph({"y": b.relu(x)}, {"x": values})["y"]
    np.testing.assert_array_equal(got, np.maximum(values, 0))


def test_constants_have_buffers_that_a_workspace_keeps_and_nothing_writes_to() -> None:
    module = compile_spec(REGRESSION).module()
    params = module.init(seed=0)
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(5, 3)).astype("f4"), rng.normal(size=(5, 1)).astype("f4")
    work = module.Workspace()
    first = module.backward(params, x, y, work=work)
    kept = {name: [a.copy() for a in arrays] for name, (_, arrays) in work.items()}
    ones = [i for i, a in enumerate(kept["backward"]) if np.array_equal(a, np.ones(5))]
    assert len(ones) == 1
    for scale in (2, 3):
        second = module.backward(params, scale * x, y, work=work)
        assert np.array_equal(work["backward"][1][ones[0]], np.ones(5))
    assert second[1]["W"] is first[1]["W"]
    alone = module.backward(params, 3 * x, y)
    for name, g in alone[1].items():
        np.testing.assert_array_equal(second[1][name], g)


def test_equal_constants_are_one_and_counted() -> None:
    found = compile_spec(REGRESSION)
    written = written_of(found.description, "clipped_backward")
    forms = [form for form in written.buffers.forms if form.number]
    assert len(forms) == len(set(forms))
    planned = written_of(found.description, "backward").buffers.forms
    (ones,) = [form for form in planned if form.number]
    assert ones.shape == ("batch",)
    module = found.module()
    work, zeros = module.Workspace(), np.zeros((5, 4), "f4")
    module.backward(module.init(seed=0), zeros[:, :3], zeros[:, 3:], work=work)
    held = sum(array.nbytes for array in work["backward"][1])
    assert held == sum(size_value(form_bytes(form), {"batch": 5}) for form in planned)


def test_a_gradient_of_one_element_is_the_end_of_a_product() -> None:
    source = compile_spec(REGRESSION).source
    kernel = source[source.index("def _backward(") :].split("\n\n\n")[0]
    assert re.search(r"d_c = ones\.dot\(\w+, out=b\[\d\]\)", kernel)
    assert "[None]" not in kernel
    assert "np.vdot(product, product) / batch" in kernel


def test_numbers_that_others_read_stay_numbers() -> None:
    """A sum that is read with its axis and without is made once."""
    x = b.input("x", ("n",), "float64")
    total = b.sum(x)
    got = run_graph({"y": b.expand_dims(total, 0), "z": total * 2}, {"x": np.arange(4.0)})
    assert got["y"].shape == (1,)
    assert (got["y"][0], got["z"]) == (6.0, 12.0)
    assert kernel_of({"y": b.expand_dims(total, 0), "z": total * 2}).count("x.sum()") == 1


@pytest.mark.parametrize("n", [0, 1, 5])
def test_sums_and_dot_products_with_an_axis_of_their_own(n: int) -> None:
    x, u = b.input("x", ("n", 1), "float64"), b.input("u", ("n",), "float64")
    dot = b.einsum("i,i->", u, b.reshape(x, ("n",)))
    outputs = {
        "sum": b.expand_dims(b.sum(u) * 3, 0),
        "dot": b.expand_dims(dot * 0.5, 0),
        "own": b.expand_dims(b.einsum("i,i->", u, b.exp(u)), 0),
    }
    rng = np.random.default_rng(2)
    values = {"x": rng.normal(size=(n, 1)), "u": rng.normal(size=n)}
    got = run_graph(outputs, values)
    expected = {
        "sum": [3 * values["u"].sum()],
        "dot": [0.5 * values["u"] @ values["x"][:, 0]],
        "own": [values["u"] @ np.exp(values["u"])],
    }
    for name, value in expected.items():
        assert got[name].shape == (1,)
        np.testing.assert_allclose(got[name], value, rtol=1e-14, atol=1e-15)


def test_columns_are_computed_as_the_matrices_that_they_are() -> None:
    flat = b.reshape(COLUMN, ("n",))
    outputs = {"y": b.exp(COLUMN) * COLUMN, "z": b.exp(flat) * flat}
    text = kernel_of(outputs)
    assert text.count("np.exp") == 1
    values = np.linspace(-1, 1, 4)[:, None]
    got = run_graph(outputs, {"x": values})
    np.testing.assert_array_equal(got["y"][:, 0], got["z"])
    assert not np.shares_memory(got["y"], got["z"])


@pytest.mark.parametrize(
    ("product", "action"),
    [
        (lambda x, y: x * x, "vdot"),
        (lambda x, y: x * y, "vdot"),
        (lambda x, y: 2 * x * y, "sum"),
        (lambda x, y: x / y, "sum"),
        (lambda x, y: x * x * y, "sum"),
        (lambda x, y: x * y[:, :1], "sum"),
    ],
)
def test_sums_of_products_that_are_there_are_dot_products(
    product: Callable[[Node, Node], Node], action: str
) -> None:
    x, y = b.input("x", (4, 3)), b.input("y", (4, 3))
    program = build_program({"d": product(x, y)})
    total = Builder("float64")
    for step in program.steps:
        total.append(step)
    whole = total.emit("sum", [program.results["d"]], shape=(), dtype="float64", axes=(0, 1))
    results = {"d": program.results["d"], "s": total.strong(whole)}
    made = single_calls(Program(tuple(total.steps), results, {}, ()))
    assert made.steps[made.results["s"]].action == action


def test_a_loss_beside_its_squares_is_a_dot_product() -> None:
    source = compile_spec(REGRESSION).source
    kernel = source[source.index("def _backward_with_norms(") :].split("\n\n\n")[0]
    assert "loss = np.vdot(product, product) / batch" in kernel


def test_weights_that_are_a_number_over_a_size_are_kept_with_it() -> None:
    """They are filled anew where the size is another."""
    spec = REGRESSION.replace("sum(", "mean(").replace("z = ", 'h = "relu(x @ V)"\nz = ')
    spec = spec.replace("x @ W + c", "h @ W + c").replace("W = {", "V = { shape = [3, 3] }\nW = {")
    found = compile_spec(spec)
    kernel = found.source[found.source.index("def _backward_with_norms(") :].split("\n\n\n")[0]
    assert "(1, dtype, (batch,), 2 / batch)" in kernel
    assert re.search(r"weights = b\[\d+\]", kernel)
    assert "np.full" not in kernel
    module, plain = found.module(), compile_spec(spec, style="plain").module()
    params, work, rng = module.init(seed=0), module.Workspace(), np.random.default_rng(2)
    for batch in (5, 5, 2, 7):
        x, y = rng.normal(size=(batch, 3)).astype("f4"), rng.normal(size=(batch, 1)).astype("f4")
        ours = module.backward_with_norms(params, x, y, work=work)
        theirs = plain.backward_with_norms(params, x, y)
        for mine, other in zip(ours[1:], theirs[1:], strict=True):
            for name, array in mine.items():
                np.testing.assert_allclose(array, other[name], rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="batch is 0"):
        module.backward_with_norms(params, x[:0], y[:0], work=work)


def test_weights_that_a_line_names_too_are_written_out_among_the_buffers() -> None:
    """Buffers are made before any line: a number that has one is not there yet."""
    spec = """
name = "mixing"
[inputs]
x = { shape = ["batch", 2, 4] }
y = { shape = ["batch", 2, 5] }
[[layers]]
kind = "conv_transpose1d"
channels = 2
kernel = 2
[[layers]]
kind = "attention"
bias = true
[loss]
kind = "squared_error"
target = "y"
"""
    found = compile_spec(spec, ["empirical_fisher_vp"])
    assert re.search(r"\(2 \* batch,\), 0\.\d+ / batch\)", found.source)
    module, plain = found.module(), compile_spec(spec, ["empirical_fisher_vp"], style="plain")
    params, rng = module.init(seed=0), np.random.default_rng(3)
    v = {name: rng.normal(size=p.shape) for name, p in params.items()}
    x, y = rng.normal(size=(3, 2, 4)), rng.normal(size=(3, 2, 5))
    other = plain.module().empirical_fisher_vp(params, v, x, y)
    for name, array in module.empirical_fisher_vp(params, v, x, y).items():
        np.testing.assert_allclose(array, other[name], rtol=1e-9, atol=1e-12)
