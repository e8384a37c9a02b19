"""Products with narrow matrices are taken together, and only where that spares a pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from codegen.building import build_program
from codegen.narrow import narrow_products
from codegen.program import Program
from symdiff.compiler import compile_spec
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from symdiff.simplify import simplify
from tests.codegen.models import run_graph

H = b.input("h", ("batch", 1500))
W, V = b.parameter("W", (1500, 10)), b.parameter("V", (1500, 7))
R, D = b.input("r", ("batch", 3, 10)), b.input("d", ("batch", 3, 7))
LONG = b.input("long", ("batch", 60, 25))
SUM = R @ W.T + D @ V.T

CLASSIFIER = """
name = "wide"
[inputs]
x = { shape = ["batch", 16] }
y = { shape = ["batch"], labels = 10 }
[parameters]
W1 = { shape = [16, 1200] }
b1 = { shape = [1200] }
W2 = { shape = [1200, 10] }
b2 = { shape = [10] }
[equations]
h = "tanh(x @ W1 + b1)"
z = "h @ W2 + b2"
[loss]
per_example = "softmax_cross_entropy(z, y)"
"""


def both(**outputs: Node) -> tuple[Program, Program]:
    """The program, and that with narrow products taken together."""
    program = build_program(outputs)
    return program, narrow_products(program)


def count(program: Program, action: str) -> int:
    return sum(step.action == action for step in program.steps)


def assert_values(**outputs: Node) -> None:
    """The emitted module has the interpreter's values, in float64."""
    rng = np.random.default_rng(0)
    shapes = {"h": (4, 1500), "W": (1500, 10), "V": (1500, 7), "r": (4, 3, 10), "d": (4, 3, 7)}
    values: dict[str, Any] = {n: rng.normal(size=shape) for n, shape in shapes.items()}
    values |= {"m": rng.normal(size=(4, 3, 1500)), "long": rng.normal(size=(4, 60, 25))}
    leaves = [H, W, V, R, D]
    expected = evaluate(outputs, values)
    got = run_graph(outputs, values, more_leaves=leaves)
    for name, array in expected.items():
        np.testing.assert_allclose(got[name], array, rtol=1e-12, atol=1e-11, err_msg=name)


def test_products_of_one_array_with_narrow_matrices_are_one() -> None:
    outputs = {"z": b.tanh(H @ W), "u": b.exp(H @ V)}
    before, after = both(**outputs)
    assert (count(before, "matmul"), count(after, "matmul")) == (2, 1)
    (product,) = [step for step in after.steps if step.action == "matmul"]
    assert product.shape == ("batch", 17)
    assert_values(**outputs)


def test_a_sum_of_products_over_short_axes_is_one_product() -> None:
    before, after = both(y=b.tanh(SUM))
    assert (count(before, "matmul"), count(after, "matmul")) == (2, 1)
    assert count(after, "add") == 0
    (product,) = [step for step in after.steps if step.action == "matmul"]
    assert [after.steps[a].shape[-1] for a in product.args] == [17, 1500]
    assert_values(y=b.tanh(SUM))


def test_other_terms_stay_beside_it_with_their_signs() -> None:
    more = b.input("m", ("batch", 3, 1500))
    outputs = {"y": simplify(more * 2 - R @ W.T - D @ V.T + 1.5).root}
    before, after = both(**outputs)
    assert (count(before, "matmul"), count(after, "matmul")) == (2, 1)
    (total,) = [step for step in after.steps if step.action == "add"]
    assert total.detail("coefficients") == (2.0, -1.0)
    assert total.detail("constant") == 1.5
    assert_values(**outputs)


@pytest.mark.parametrize(
    "outputs",
    [
        {"y": R @ W.T - D @ V.T},
        {"y": SUM, "other": R @ W.T},
        {"y": b.tanh(R @ W.T) + D @ V.T},
        {"y": (R @ W[:40].T) + D @ V[:40].T},
        {"z": b.tanh(H[:, :40] @ W[:40]), "u": b.exp(H[:, :40] @ V[:40])},
        {"z": b.tanh(LONG @ W[:25]), "u": b.exp(LONG @ V[:25])},
        {"z": b.tanh(H @ W), "u": H @ b.transpose(b.exp(V.T * (H @ W).sum()))},
    ],
    ids=[
        "signs differ",
        "read elsewhere",
        "no sum of them",
        "narrow",
        "small",
        "large results",
        "not there yet",
    ],
)
def test_what_would_spare_nothing_stays(outputs: dict[str, Node]) -> None:
    before, after = both(**outputs)
    assert after is before
    assert_values(**outputs)


def test_equal_matrices_are_put_together_once_for_both_ways() -> None:
    outputs = {"z": b.exp(H @ W), "u": b.exp(H @ V), "y": b.tanh(SUM)}
    _, after = both(**outputs)
    assert count(after, "matmul") == 2
    assert count(after, "concatenate") == 2
    assert_values(**outputs)


def test_a_classifiers_hessian_has_its_last_layer_in_fewer_products() -> None:
    found = compile_spec(CLASSIFIER)
    kernel = found.source[found.source.index("def _hvp(") :].split("\n\n\n")[0]
    assert "np.concatenate((W2, v_W2), axis=-1, out=" in kernel
    assert kernel.count(".dot(") == 9 + 2  # and two sums with ones
    module, plain = found.module(), compile_spec(CLASSIFIER, style="plain").module()
    rng = np.random.default_rng(0)
    params = module.init(seed=0)
    v = {name: rng.normal(size=p.shape) for name, p in params.items()}
    x, y = rng.normal(size=(5, 16)), rng.integers(0, 10, 5)
    want = plain.hvp(params, v, x, y)
    for name, got in module.hvp(params, v, x, y).items():
        np.testing.assert_allclose(got, want[name], rtol=1e-10, atol=1e-12)
    # Put together anew in each call: parameters may be changed in place.
    work = module.Workspace()
    module.hvp(params, v, x, y, work=work)
    params["W2"] *= 2
    for name, got in module.hvp(params, v, x, y, work=work).items():
        np.testing.assert_allclose(got, plain.hvp(params, v, x, y)[name], rtol=1e-10, atol=1e-12)
