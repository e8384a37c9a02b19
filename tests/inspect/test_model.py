"""inspect: the chain rule of a model, as a textbook prints it, and right in numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symdiff.calculus.reverse import grad
from symdiff.errors import SpecError
from symdiff.expr import build as b
from symdiff.expr.evaluate import evaluate
from symdiff.expr.shapes import size_value
from symdiff.inspect.chain_rule import ChainRule
from symdiff.inspect.equations import read_equations
from symdiff.inspect.model import Inspection, inspect_model
from symdiff.spec.load import load, load_text
from symdiff.spec.model import Model
from tests.oracles import assert_close

EXAMPLES = Path(__file__).parents[2] / "examples"
DIGITS = load(EXAMPLES / "digits.toml")
MATMUL = load(EXAMPLES / "matmul.toml")


def equations(inspection: Inspection) -> list[str]:
    """The lines of the derivatives, without their shapes."""
    block = inspection.to_text().split("\n\n")[1 if inspection.equations else 0]
    return [line.split("    ")[0].rstrip() for line in block.splitlines()]


def spec(equation_lines: str, loss: str, inputs: str = "", parameters: str = "") -> Model:
    """A small model."""
    return load_text(
        f'name = "m"\n[inputs]\nx = {{ shape = ["batch", 3] }}\n{inputs}\n'
        f"[parameters]\nW = {{ shape = [3, 2] }}\n{parameters}\n"
        f"[equations]\n{equation_lines}\n[loss]\n{loss}\n"
    )


def test_the_logits_gradient_is_q_minus_p() -> None:
    assert equations(inspect_model(DIGITS, ["z"])) == ["∂J/∂z = (q − one_hot(y)) / batch"]


def test_gradients_flow_from_equation_to_equation() -> None:
    assert equations(inspect_model(DIGITS)) == [
        "∂J/∂z = (q − one_hot(y)) / batch",
        "∂J/∂h = ∂J/∂z W2ᵀ",
        "∂J/∂W1 = xᵀ ([h > 0] ⊙ ∂J/∂h) + 0.0001 W1",
        "∂J/∂b1 = Σ_batch([h > 0] ⊙ ∂J/∂h)",
        "∂J/∂W2 = hᵀ ∂J/∂z + 0.0001 W2",
        "∂J/∂b2 = Σ_batch(∂J/∂z)",
    ]


def test_a_matrix_products_gradients_print_as_in_the_book() -> None:
    lines = equations(inspect_model(MATMUL, ["W", "H"]))
    assert "∂J/∂H = ∂J/∂U Wᵀ" in lines
    assert "∂J/∂W = Hᵀ ∂J/∂U" in lines


def test_each_shape_stands_beside_its_variables() -> None:
    text = inspect_model(DIGITS).to_text()
    assert "(64, 128)  W1 (64, 128)" in text
    for derived in inspect_model(DIGITS).derivatives:
        assert derived.shape_of is not None
        assert derived.line.shape == derived.shape_of[1]


def sizes_of(model: Model) -> dict[str, int]:
    """Numbers for the sizes that are read from the data."""
    return {name: 3 + i for i, name in enumerate(model.free_sizes)}


def values_of(model: Model) -> dict[str, Any]:
    """Random data and parameters."""
    rng = np.random.default_rng(0)
    sizes = sizes_of(model)
    values: dict[str, Any] = {}
    for name, node in {**model.inputs, **model.trainable}.items():
        shape = [size_value(size, sizes) for size in node.shape]
        declared = dict(node.attr("declared")) if node.op == "input" else {}
        if "labels" in declared:
            values[name] = rng.integers(0, size_value(declared["labels"], sizes), shape)
        else:
            values[name] = rng.normal(size=shape)
    return values


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
@pytest.mark.parametrize("simplified", [True, False], ids=["simplified", "raw"])
def test_the_chain_rule_gives_the_gradient_in_numbers(path: Path, simplified: bool) -> None:
    model = load(path)
    values = values_of(model)
    read = read_equations(model)
    have: dict[Any, Any] = dict(values)
    for name, node in read.formulas.items():
        have[name] = evaluate(node, have)
    rule = ChainRule(read, simplified)
    with b.default_dtype(model.dtype):
        loss = (b.mean if model.reduction == "mean" else b.sum)(model.per_example)
        loss = loss if model.regularizer is None else loss + model.regularizer
    tolerance = 1e-9 if model.dtype == "float64" else 1e-4
    for derivative in rule.needed(list(model.trainable)):
        result = evaluate(derivative.node, have, sizes_of(model))
        if derivative.wrt in rule.cotangents:
            have[rule.cotangents[derivative.wrt]] = result
        else:
            parameter = model.trainable[derivative.wrt]
            expected = evaluate(grad(loss, parameter), values)
            assert_close(result, expected, tolerance, f"∂J/∂{derivative.wrt}")


def test_raw_shows_every_step() -> None:
    lines = equations(inspect_model(DIGITS, ["z"], raw=True))
    assert [line.split(" = ")[0] for line in lines] == ["∂J/∂q", "∂J/∂z"]


def test_an_equation_that_the_loss_goes_round_keeps_its_own_gradient() -> None:
    """Simplified as a whole, the loss reads z and no longer q; ∂J/∂q is not 0 for that."""
    (line,) = equations(inspect_model(DIGITS, ["q"]))
    assert "one_hot(y)" in line
    assert "/ batch" in line


def test_inputs_equations_and_frozen_parameters_can_be_asked_for() -> None:
    model = spec(
        'a = "x @ W"\nunread = "a * 2"',
        'per_example = "sum(c * a**2, axis=1)"',
        parameters="c = { shape = [2], trainable = false }",
    )
    lines = equations(inspect_model(model, ["x", "c", "unread"]))
    assert "∂J/∂x = ∂J/∂a Wᵀ" in lines
    assert "∂J/∂unread = zeros((batch, 2))" in lines
    assert "∂J/∂c = Σ_batch(a²) / batch" in lines


def test_the_rules_and_assumptions_are_shown_on_demand() -> None:
    inspection = inspect_model(DIGITS, ["z"])
    assert "log_softmax" not in inspection.to_text()
    shown = inspection.to_text(trace=True)
    assert "log(q[arange(batch), y])  →  log_softmax(z)[arange(batch), y]" in shown
    assert inspection.assumptions == (("y", "labels"),)
    assert "y has labels" in shown


def test_hessian_vector_products_name_the_direction() -> None:
    text = inspect_model(MATMUL, of="hvp").to_text()
    assert "Hv_V = " in text
    assert "v_W" in text
    (line,) = [x for x in text.splitlines() if x.startswith("Hv_W = ")]
    assert line.endswith("(q, p)  W (q, p)")


def test_norms_factorise() -> None:
    lines = equations(inspect_model(DIGITS, of="norms"))
    assert "s_W2 = Σ_axis1(h²) ⊙ Σ_axis1(t1²)" in lines
    assert "s_b2 = Σ_axis1(t1²)" in lines


def test_only_the_parameters_asked_for_are_shown() -> None:
    lines = equations(inspect_model(DIGITS, ["b2"], of="norms"))
    assert [line for line in lines if line.startswith("s_")] == ["s_b2 = Σ_axis1(t1²)"]


def test_user_functions_and_a_parameter_called_j() -> None:
    model = load_text(
        'name = "m"\n[inputs]\nx = { shape = ["batch"] }\n[parameters]\nJ = { shape = [] }\n'
        '[functions]\n"twice(a)" = "2 * a"\n"quad(a)" = "twice(twice(a))"\n'
        '[equations]\nh = "quad(x) * J"\n[loss]\nper_example = "h"\nreduction = "sum"\n'
    )
    assert equations(inspect_model(model))[-1] == "∂L/∂J = 4 xᵀ ∂L/∂h"


def test_layers_are_inspected_as_equations() -> None:
    model = load_text(
        'name = "m"\n[inputs]\nx = { shape = ["batch", 3] }\n'
        'y = { shape = ["batch"], labels = 4 }\n'
        '[[layers]]\nkind = "dense"\nunits = 5\nactivation = "relu"\n'
        '[[layers]]\nkind = "dense"\nunits = 4\n[loss]\nkind = "softmax_cross_entropy"\n'
    )
    inspection = inspect_model(model)
    assert "relu(x @ W1 + b1)" in inspection.spec
    assert any(line.endswith(" − one_hot(y)) / batch") for line in equations(inspection))


def test_latex_and_json_say_the_same() -> None:
    inspection = inspect_model(DIGITS, ["W2"])
    assert r"\frac{\partial J}{\partial W_{2}} &= h^{\top} \, " in inspection.to_latex()
    data = json.loads(inspection.to_json())
    (last,) = [d for d in data["derivatives"] if d["wrt"] == "W2"]
    assert last["text"] == "hᵀ ∂J/∂z + 0.0001 W2"
    assert last["shape"] == last["wrt_shape"] == [128, 10]
    assert [e["name"] for e in data["equations"]] == ["h", "z", "q", "J"]


def test_a_deep_network_takes_a_line_an_equation() -> None:
    layers = "".join(f'h{i + 1} = "tanh(h{i} @ V)"\n' for i in range(50))
    model = spec(
        f'h0 = "x @ W"\n{layers}',
        'per_example = "sum(h50**2, axis=1)"',
        parameters="V = { shape = [2, 2] }",
    )
    lines = equations(inspect_model(model, ["W"]))
    assert [line for line in lines if not line.startswith("t")][1:4] == [
        "∂J/∂h49 = ((1 − h50²) ⊙ ∂J/∂h50) Vᵀ",
        "∂J/∂h48 = ((1 − h49²) ⊙ ∂J/∂h49) Vᵀ",
        "∂J/∂h47 = ((1 − h48²) ⊙ ∂J/∂h48) Vᵀ",
    ]
    assert len(lines) == 52


@pytest.mark.parametrize(
    ("wrt", "of", "said"),
    [
        (["W22"], "backward", "no input, parameter or equation is called 'W22'; did you mean 'W"),
        (["z"], "hvp", "no trainable parameter is called 'z'"),
        (["y"], "backward", "'y' holds whole numbers"),
    ],
)
def test_names_that_cannot_be_are_refused(wrt: list[str], of: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        inspect_model(DIGITS, wrt, of)


def test_norms_of_a_model_that_mixes_examples_are_refused_by_name() -> None:
    model = spec('c = "x - mean(x, axis=0)"\nh = "c @ W"', 'per_example = "sum(h, axis=1)"')
    with pytest.raises(SpecError, match="equation 'c'"):
        inspect_model(model, of="norms")


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_no_name_is_defined_twice(path: Path) -> None:
    found = inspect_model(load(path))
    labels = [line.split(" = ")[0] for line in found.to_text().splitlines() if " = " in line]
    assert len(labels) == len(set(labels))
