"""``symdiff cost``: formulas, numbers, decisions and faults, as users see them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sympy
from click.testing import CliRunner

from symdiff.cli import main
from symdiff.costs import ModelCost, cost_spec
from symdiff.errors import SpecError
from symdiff.expr.shapes import as_expression

EXAMPLES = Path(__file__).parents[1] / "examples"
BATCH, WIDTH = as_expression("batch"), as_expression("p")


def mlp(layers: int) -> str:
    """Layers of p units each, p inputs, squared error."""
    weights = range(1, layers + 1)
    equations = [f'h{k} = "tanh({f"h{k - 1}" if k > 1 else "x"} @ W{k} + b{k})"' for k in weights]
    parameters = [f'W{k} = {{ shape = ["p", "p"] }}\nb{k} = {{ shape = ["p"] }}' for k in weights]
    return "\n".join(
        [
            'name = "mlp"',
            "[inputs]",
            'x = { shape = ["batch", "p"] }',
            'y = { shape = ["batch", "p"] }',
            "[parameters]",
            *parameters,
            "[equations]",
            *equations,
            "[loss]",
            f'per_example = "squared_error(h{layers}, y).sum(axis=1)"',
        ]
    )


def flops(cost: ModelCost, function: str) -> Any:
    (size,) = cost.figures[function]["flops"].sizes
    return sympy.Poly(as_expression(size), BATCH, WIDTH)


def test_norms_add_mnp_to_the_mnp_squared_of_backpropagation() -> None:
    """n layers of p units and m examples (Goodfellow 2015), by the leading terms."""
    added = {}
    for layers in (2, 3, 4):
        cost = cost_spec(mlp(layers), functions=["backward", "backward_with_norms"])
        plain, both = flops(cost, "backward"), flops(cost, "backward_with_norms")
        # Forward, the gradient of the weights, and but for the first layer of the data.
        assert plain.total_degree() == 3
        assert plain.coeff_monomial(BATCH * WIDTH**2) == 6 * layers - 2
        extra = both - plain
        assert extra.total_degree() == 2
        added[layers] = extra.coeff_monomial(BATCH * WIDTH)
    assert added[3] - added[2] == added[4] - added[3] > 0


def test_each_way_costs_a_constant_number_of_flops_a_weight_and_example() -> None:
    """O(w) an example, forward and backward, with w weights."""
    cost = cost_spec(mlp(5), functions=["forward", "backward"])
    leading = BATCH * WIDTH**2
    assert flops(cost, "forward").coeff_monomial(leading) == 2 * 5
    assert flops(cost, "backward").coeff_monomial(leading) == 6 * 5 - 2
    assert flops(cost, "backward").total_degree() == 3


def test_memory_is_that_of_the_hidden_units_and_the_gradient() -> None:
    """O(m n_h): every activation is kept for the way back, and no more than a few copies of it."""
    cost = cost_spec(mlp(6), functions=["backward"])
    for size in cost.figures["backward"]["live_bytes"].sizes:
        polynomial = sympy.Poly(as_expression(size), BATCH, WIDTH)
        assert polynomial.degree(BATCH) <= 1
        assert polynomial.coeff_monomial(BATCH * WIDTH**2) == 0
        assert polynomial.coeff_monomial(BATCH * WIDTH) <= 3 * 8 * 6


def test_decisions_are_told_with_both_prices() -> None:
    cost = cost_spec(EXAMPLES / "digits.toml", {"batch": 10}, ["per_example_sq_norms"])
    first, bias, *_ = cost.choices("per_example_sq_norms")
    assert (first.parameters, first.form) == (("W1",), "product")
    assert (bias.parameters, bias.form) == (("b1",), "instantiated")
    assert first.expanded is not None
    assert first.formed is not None
    # 2·64·128 less is multiplied than z̄² and h² need; G is 64·128, squared and summed up.
    assert first.expanded.number({"batch": 10}) == 10 * (2 * (64 + 128) + 1)
    assert first.formed.number({"batch": 10}) == 10 * 3 * 64 * 128
    text = cost.to_text()
    assert "W1: product at 385*batch = 3 850; instantiated at 24576*batch = 245 760" in text
    assert "b1: instantiated" in text


def test_hvp_says_which_mode_it_is() -> None:
    cost = cost_spec(EXAMPLES / "digits.toml", functions=["hvp"])
    assert ": the cheapest of" in cost.to_text()
    found = json.loads(cost.to_json())["functions"]["hvp"]
    assert found["mode"] in found["modes"]
    assert len(found["modes"]) == 3


def test_sizes_that_are_missing_are_named() -> None:
    cost = cost_spec(mlp(2), {"batch": 128}, ["forward"])
    assert cost.missing == ["p"]
    assert "No numbers where p matters; give --at p=..." in cost.to_text()
    assert json.loads(cost.to_json())["functions"]["forward"]["flops"]["number"] is None


def test_a_size_that_is_not_open_is_a_fault() -> None:
    with pytest.raises(SpecError, match="no open size 'bach'; did you mean 'batch'"):
        cost_spec(EXAMPLES / "digits.toml", {"bach": 128})
    run = CliRunner().invoke(main, ["cost", str(EXAMPLES / "digits.toml"), "--at", "hidden=5"])
    assert run.exit_code == 2
    assert "no open size 'hidden'" in run.stderr
    run = CliRunner().invoke(main, ["cost", str(EXAMPLES / "digits.toml"), "--at", "batch=many"])
    assert run.exit_code == 2


def test_sizes_may_be_given_together() -> None:
    spec = str(EXAMPLES / "transformer.toml")
    together = ["--at", "batch=4,time=8"]
    apart = ["--at", "batch=4", "--at", "time=8"]
    runs = [
        CliRunner().invoke(main, ["cost", spec, *at, "--functions", "forward"])
        for at in (together, apart)
    ]
    assert runs[0].exit_code == 0
    assert runs[0].stdout == runs[1].stdout


def test_json_has_every_figure_as_formula_and_number() -> None:
    arguments = ["cost", str(EXAMPLES / "digits.toml"), "--at", "batch=128", "--format", "json"]
    run = CliRunner().invoke(main, arguments)
    assert run.exit_code == 0
    found = json.loads(run.stdout)
    forward = found["functions"]["forward"]
    assert forward["product_flops"] == {"formula": "18944*batch", "number": 18944 * 128}
    assert forward["products"] == {"formula": "2", "number": 2}
    assert set(found["functions"]) == {
        "forward", "loss", "backward", "hvp", "per_example_sq_norms", "per_example_norms",
        "backward_with_norms", "clipped_backward",
    }  # fmt: skip
