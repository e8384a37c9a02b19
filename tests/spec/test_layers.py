"""Layers are shorthand: they read as the equations that they stand for."""

from __future__ import annotations

import pytest

from symdiff.errors import SpecError
from symdiff.spec.load import load
from symdiff.spec.model import Model
from symdiff.spec.write import equations_text
from tests.spec.specs import DIGITS, LAYERED, SMALL

INPUTS = 'x = { shape = ["batch", 64] }\ny = { shape = ["batch"], labels = 10 }\n'


def layered(layers: str, loss: str, inputs: str = INPUTS, more: str = "") -> Model:
    """A layered model."""
    return load(f'name = "m"\n[inputs]\n{inputs}\n{more}\n{layers}\n[loss]\n{loss}\n')


def equations(model: Model) -> dict[str, str]:
    """The equations' texts."""
    return {name: equation.text for name, equation in model.equations.items()}


def test_dense_layers_number_their_parameters() -> None:
    model = load(LAYERED)
    assert equations(model) == {"h1": "relu(x @ W1 + b1)", "h2": "h1 @ W2 + b2"}
    shapes = {name: p.node.shape for name, p in model.parameters.items()}
    assert shapes == {"W1": (64, 128), "b1": (128,), "W2": (128, 10), "b2": (10,)}
    assert model.per_example_text == "softmax_cross_entropy(h2, y)"
    assert model.regularizer_text == "0.5 * 0.0001 * (sum(W1**2) + sum(W2**2))"
    assert model.outputs == ("h2",)
    assert model.parameters["W1"].node.dtype == "float32"


def test_every_model_reads_back_from_its_equations() -> None:
    for text in (LAYERED, DIGITS, SMALL, RICH):
        model = load(text)
        written = equations_text(model)
        again = load(written)
        assert again.per_example is model.per_example
        assert again.regularizer is model.regularizer
        assert again.output_nodes == model.output_nodes
        assert again.parameters == model.parameters
        assert again.inputs == model.inputs
        assert equations_text(again) == written


RICH = """\
name = "rich"
output = ["r1", "h3"]
[dims]
width = 8
[inputs]
x = { shape = ["batch", "time", "features"], range = [0, 1], positive = true }
mask = { shape = [] }
y = { shape = ["batch", "time"], labels = 5, ignore = -1 }
[functions]
"swish(x, beta)" = "x / (1 + exp(-beta * x))"
[[layers]]
kind = "dense"
units = "width"
activation = "swish(1.5)"
bias = 0.1
[[layers]]
kind = "residual"
activation = "tanh"
[[layers.layers]]
kind = "activation"
activation = "softmax"
[[layers.layers]]
kind = "dense"
units = 8
bias = false
init = "he_normal"
trainable = false
[[layers]]
kind = "dense"
units = 5
[loss]
kind = "softmax_cross_entropy"
target = "y"
reduction = "sum"
l2 = 2
"""


def test_every_option_of_the_layers() -> None:
    model = load(RICH)
    assert equations(model) == {
        "h1": "swish(x @ W1 + b1, 1.5)",
        "a1": "softmax(h1)",
        "h2": "a1 @ W2",
        "r1": "tanh(h1 + h2)",
        "h3": "r1 @ W3 + b3",
    }
    assert model.parameters["W1"].node.shape == ("features", 8)
    assert (model.parameters["b1"].init, model.parameters["b1"].value) == ("constant", 0.1)
    assert (model.parameters["W2"].init, model.parameters["W2"].trainable) == ("he_normal", False)
    assert "b2" not in model.parameters
    assert model.per_example_text == "mean(softmax_cross_entropy(h3, y), axis=1)"
    assert model.regularizer_text == "0.5 * 2.0 * (sum(W1**2) + sum(W3**2))"
    assert (model.reduction, model.outputs) == ("sum", ("r1", "h3"))
    assert [w.split("warning: ")[1] for w in model.warnings] == ["input 'mask' is not used"]


DENSE = '[[layers]]\nkind = "dense"\nunits = {}\n'


@pytest.mark.parametrize(
    ("target", "units", "kind", "text"),
    [
        ('["batch", 10]', 10, "squared_error", "mean(squared_error(h1, y), axis=1)"),
        ('["batch"]', 1, "squared_error", "squared_error(h1[..., 0], y)"),
        ('["batch"], zero_or_one = true', 1, "sigmoid_cross_entropy",
         "sigmoid_cross_entropy(h1[..., 0], y)"),
        ('["batch", 10]', 10, "kl_divergence", "kl_divergence(y, h1)"),
        ('["batch", 10], one_hot = true', 10, "softmax_cross_entropy",
         "softmax_cross_entropy(h1, y)"),
    ],
)  # fmt: skip
def test_loss_kinds_take_the_mean_over_all_axes_but_the_batch(
    target: str, units: int, kind: str, text: str
) -> None:
    inputs = f'x = {{ shape = ["batch", 64] }}\ny = {{ shape = {target} }}\n'
    model = layered(DENSE.format(units), f'kind = "{kind}"', inputs)
    assert model.per_example_text == text
    assert model.per_example.shape == ("batch",)


def test_one_input_is_its_own_target() -> None:
    inputs = 'x = { shape = ["batch", 6] }\n'
    model = layered(DENSE.format(2) + DENSE.format(6), 'kind = "squared_error"', inputs)
    assert model.per_example_text == "mean(squared_error(h2, x), axis=1)"


def test_sizes_of_layers_can_be_names() -> None:
    model = layered(
        DENSE.format('"hidden"') + DENSE.format('"classes"'),
        'kind = "softmax_cross_entropy"',
        'x = { shape = ["batch", "features"] }\ny = { shape = ["batch"], labels = "classes" }\n',
    )
    assert [p.node.shape for p in model.parameters.values()] == [
        ("features", "hidden"), ("hidden",), ("hidden", "classes"), ("classes",),
    ]  # fmt: skip
    assert dict(model.inputs["y"].attr("declared"))["labels"] == "classes"


def test_equations_of_layers_step_aside_for_the_users_names() -> None:
    inputs = 'h1 = { shape = ["batch", 6] }\ny = { shape = ["batch", 3] }\n'
    model = layered(DENSE.format(3), 'kind = "squared_error"', inputs)
    assert equations(model) == {"h1_": "h1 @ W1 + b1"}


def test_a_loss_formula_may_name_the_values_of_layers() -> None:
    model = layered(DENSE.format(10), 'per_example = "softmax_cross_entropy(2 * h1, y)"\nl2 = 0.1')
    assert model.per_example_text == "softmax_cross_entropy(2 * h1, y)"
    assert model.regularizer_text == "0.5 * 0.1 * sum(W1**2)"


SEQUENCE = """\
x = { shape = ["batch", "time", 6] }
mask = { shape = ["batch", "time"], zero_or_one = true }
y = { shape = ["batch", "time"], labels = 5 }
"""


@pytest.mark.parametrize(
    ("loss", "text"),
    [
        ('kind = "softmax_cross_entropy(label_smoothing=0.1)"\nwithin = "sum"',
         "sum(softmax_cross_entropy(h1, y, label_smoothing=0.1), axis=1)"),
        ('kind = "softmax_cross_entropy"\nmask = "mask"',
         "masked_mean(softmax_cross_entropy(h1, y), mask, axis=1)"),
        ('kind = "multiclass_hinge(margin=2)"\nmask = "mask"\nwithin = "sum"',
         "masked_sum(multiclass_hinge(h1, y, margin=2), mask, axis=1)"),
        ('kind = "squared_error"\nmask = "mask"\ntarget = "x"',
         "masked_mean(squared_error(h1, x), mask[..., None], axis=(1, 2))"),
    ],
)  # fmt: skip
def test_losses_of_sequences(loss: str, text: str) -> None:
    units = 6 if "squared" in loss else 5
    assert layered(DENSE.format(units), loss, SEQUENCE).per_example_text == text


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        ('kind = "softmax_cross_entropy"\nmask = "msk"', "no value above is called 'msk'"),
        ('kind = "softmax_cross_entropy"\nmask = "x"', "the mask 'x' has shape (batch, time, 6)"),
        ('per_example = "sum(y, axis=1)"\nwithin = "sum"', "within belongs to kind"),
    ],
)
def test_faults_of_masks(loss: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        layered(DENSE.format(5), loss, SEQUENCE)
    assert said in caught.value.lines[0]


def test_a_layers_parameter_keeps_clear_of_the_values_above() -> None:
    """An activation's value and the next layer's slope would both be a1."""
    model = layered(
        '[[layers]]\nkind = "activation"\nactivation = "tanh"\n[[layers]]\nkind = "prelu"\n'
        + DENSE.format(6),
        'kind = "squared_error"\ntarget = "x"',
        SEQUENCE,
    )
    assert [*model.parameters] == ["a1_", "W2", "b2"]
    assert [e.text for e in model.equations.values()][:2] == ["tanh(x)", "prelu(a1, a1_)"]
