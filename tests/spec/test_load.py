"""A spec is read into the graphs that its equations say."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from symdiff.errors import SpecError
from symdiff.expr import build
from symdiff.expr.evaluate import evaluate
from symdiff.nn import losses
from symdiff.spec.load import load
from tests.spec.specs import DIGITS, SMALL


def test_the_digits_spec_is_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "digits.toml"
    file.write_text(DIGITS, encoding="utf-8")
    model = load(file)
    x, y = model.inputs.values()
    W1, b1, W2, b2 = (p.node for p in model.parameters.values())
    assert (model.name, model.dtype, model.source) == ("digits", "float32", str(file))
    assert model.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert [*model.inputs] == ["x", "y"]
    assert (x.shape, x.dtype, y.shape, y.dtype) == (("batch", 64), "float32", ("batch",), "int64")
    assert dict(y.attr("declared")) == {"labels": 10}
    assert [*model.parameters] == ["W1", "b1", "W2", "b2"]
    assert [p.init for p in model.parameters.values()] == [
        "he_normal", "zeros", "glorot_uniform", "zeros",
    ]  # fmt: skip
    assert W1.shape == (64, 128)
    h = build.relu(x @ W1 + b1)
    q = build.softmax(h @ W2 + b2)
    assert [e.node for e in model.equations.values()] == [h, h @ W2 + b2, q]
    third = model.equations["q"]
    assert (third.text, third.line, third.column) == ("softmax(z)", 21, 1)
    assert model.outputs == ("q",)
    assert model.per_example is losses.cross_entropy(q, y)
    assert model.per_example.dtype == "float32"
    assert model.reduction == "mean"
    assert model.regularizer is 0.5 * 1e-4 * (build.sum(W1**2) + build.sum(W2**2))
    assert model.free_sizes == ("batch",)
    assert model.dims == {"hidden": 128}
    assert model.names[h] == "h"
    assert model.warnings == ()


def test_a_text_reads_as_its_file_does(tmp_path: Path) -> None:
    file = tmp_path / "digits.toml"
    file.write_bytes(DIGITS.encode())
    from_file, from_text = load(str(file)), load(DIGITS)
    assert from_file.per_example is from_text.per_example
    assert from_file.sha256 == from_text.sha256


def test_defaults() -> None:
    model = load(SMALL)
    assert (model.dtype, model.outputs, model.reduction) == ("float64", ("z",), "mean")
    assert model.regularizer is None
    assert model.parameters["w"].init == "zeros"


def test_several_outputs_and_inputs_among_them() -> None:
    model = load('output = ["z", "x"]\n' + SMALL)
    assert model.output_nodes == {"z": model.values["z"], "x": model.inputs["x"]}


def test_any_identifier_can_be_a_name() -> None:
    model = load("""
name = "np"
output = "params"
[inputs]
v = { shape = ["batch", "pi"] }
loss = { shape = ["batch"] }
[parameters]
np = { shape = ["pi"] }
work = { shape = [] }
beta = { shape = ["pi"], init = "constant", value = 2 }
"é" = { shape = [] }
[functions]
"exp(t)" = "t**2"
[equations]
grads = "v * beta"
params = "grads @ np + work * é"
e = "exp(params)"
[loss]
per_example = "squared_error(e, loss)"
""")
    arrays = {
        "v": np.ones((2, 3)), "loss": np.zeros(2), "np": np.ones(3), "work": 1.0,
        "beta": np.full(3, 2.0), "é": 4.0,
    }  # fmt: skip
    assert evaluate(model.values["params"], arrays).tolist() == [10.0, 10.0]
    assert evaluate(model.per_example, arrays).tolist() == [1e4, 1e4]
    assert model.parameters["beta"].value == 2.0
    assert model.free_sizes == ("batch", "pi")


def test_sizes_by_name_are_shared_by_shapes_labels_and_formulas() -> None:
    model = load("""
name = "sizes"
[dims]
classes = 7
[inputs]
x = { shape = ["batch", "features"] }
y = { shape = ["batch"], labels = "classes", ignore = -1 }
[parameters]
W = { shape = ["features", "classes"] }
[equations]
z = "reshape(x @ W / classes, (x.shape[0], -1)) + 0 * features"
[loss]
per_example = "softmax_cross_entropy(z, y)"
""")
    y = model.inputs["y"]
    assert dict(y.attr("declared")) == {"labels": 7, "ignore": -1}
    assert model.values["z"].shape == ("batch", 7)
    assert model.free_sizes == ("batch", "features")


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("sums_to_one", True),
        ("one_hot", True),
        ("positive", True),
        ("nonnegative", True),
        ("nonzero", True),
        ("zero_or_one", True),
        ("plus_minus_one", True),
        ("range", (0.0, 2.0)),
    ],
)
def test_facts_reach_the_node(fact: str, value: object) -> None:
    written = "true" if value is True else "[0, 2]"
    spec = SMALL.replace('shape = ["batch", 3]', f'shape = ["batch", 3], {fact} = {written}')
    assert dict(load(spec).inputs["x"].attr("declared")) == {fact: value}


def test_frozen_parameters_are_told_apart() -> None:
    model = load(SMALL.replace("shape = [3]", "shape = [3], trainable = false"))
    assert model.trainable == {}
    assert [*model.parameters] == ["w"]


def test_what_is_not_used_is_warned_of_once_each() -> None:
    model = load(
        SMALL.replace("[parameters]", "[parameters]\nspare = { shape = [2] }").replace(
            "[equations]", '[functions]\n"f(a)" = "a"\n[equations]\nidle = "spare * 2"'
        )
    )
    assert model.warnings == (
        "<spec>:6:1: warning: parameter 'spare' is not used; its gradient is 0",
        "<spec>:9:1: warning: function 'f' is not used",
        "<spec>:11:1: warning: equation 'idle' is not used",
    )


def test_formulas_over_several_lines() -> None:
    model = load(SMALL.replace('"x @ w"', '"""\n  x\n  @ w"""'))
    assert model.values["z"] is load(SMALL).values["z"]


def test_a_missing_file_is_a_fault_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        load(tmp_path / "none.toml")
    said = "error: cannot be read: No such file or directory"
    assert str(caught.value) == f"{tmp_path}/none.toml:1:1: {said}"


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_bytes(b'name = "d"\n# \xff\n')
    with pytest.raises(SpecError, match=r"bad.toml:2:3: error: this is not UTF-8 text"):
        load(file)


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    file = tmp_path / "bom.toml"
    file.write_bytes(b"\xef\xbb\xbf" + SMALL.encode())
    assert load(file).name == "small"
