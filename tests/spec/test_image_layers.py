"""Layers of images: the equations that they stand for, and what is wrong with them."""

from __future__ import annotations

import pytest

from symdiff.errors import SpecError
from symdiff.spec.load import load
from tests.spec.test_sequence_layers import equations, layered, shapes, text_of

IMAGES = 'x = { shape = ["batch", 4, 9, 9] }\ny = { shape = ["batch", 5] }\n'
LINES = 'x = { shape = ["batch", 4, 20] }\ny = { shape = ["batch", 5] }\n'
LAST = 'kind = "flatten"\nkind = "dense", units = 5'


def test_convolutions_and_pooling() -> None:
    model = layered(
        'kind = "conv2d", channels = 8, kernel = [3, 2], stride = 2, padding = [1, 0], '
        'groups = 2, activation = "relu", init = "he_normal"\n'
        'kind = "max_pool2d", window = 2, stride = 1\n'
        'kind = "conv2d", channels = 6, kernel = 3, padding = "same", dilation = [1, 2], '
        "bias = false\n"
        'kind = "avg_pool2d", window = [2, 1], padding = [[0, 1], 0]\n'
        f"{LAST}",
        IMAGES,
    )
    assert equations(model) == [
        "h1 = relu(conv2d(x, W1, stride=2, padding=(1, 0), groups=2) + b1[:, None, None])",
        "p1 = max_pool2d(h1, 2, stride=1)",
        "h2 = conv2d(p1, W2, padding='same', dilation=(1, 2))",
        "p2 = avg_pool2d(h2, (2, 1), padding=((0, 1), 0))",
        "f1 = flatten(p2)",
        "h3 = f1 @ W3 + b3",
    ]
    assert shapes(model) == {
        "W1": (8, 2, 3, 2), "b1": (8,), "W2": (6, 8, 3, 3), "W3": (36, 5), "b3": (5,),
    }  # fmt: skip
    assert model.parameters["W1"].init == "he_normal"


def test_one_axis_of_space() -> None:
    model = layered(
        'kind = "conv1d", channels = 6, kernel = 3, activation = "leaky_relu(0.2)"\n'
        'kind = "max_pool1d", window = 2\n'
        'kind = "conv_transpose1d", channels = 4, kernel = 3, stride = 2, output_padding = 1\n'
        'kind = "avg_pool1d", window = 4\n'
        'kind = "global_max_pool"\nkind = "dense", units = 5',
        LINES,
    )
    assert equations(model)[:3] == [
        "h1 = leaky_relu(conv1d(x, W1) + b1[:, None], 0.2)",
        "p1 = max_pool1d(h1, 2)",
        "h2 = conv_transpose1d(p1, W2, stride=2, output_padding=1) + b2[:, None]",
    ]
    assert equations(model)[4] == "p3 = global_max_pool(p2)"
    assert shapes(model)["W2"] == (6, 4, 3)


def test_an_autoencoder_of_images() -> None:
    inputs = IMAGES.replace('["batch", 5]', '["batch", 4, 9, 9]')
    model = layered(
        'kind = "conv2d", channels = "c", kernel = 3, stride = 2, activation = "tanh"\n'
        'kind = "conv_transpose2d", channels = 4, kernel = 3, stride = 2',
        inputs,
    )
    assert shapes(model)["W2"] == ("c", 4, 3, 3)
    assert model.values["h2"].shape == ("batch", 4, 9, 9)


def test_global_average_pooling_of_any_size() -> None:
    inputs = IMAGES.replace('"batch", 4, 9, 9', '"batch", 4, "h", "w"')
    model = layered('kind = "conv2d", channels = 5, kernel = 3\nkind = "global_avg_pool"', inputs)
    assert model.values["p1"].shape == ("batch", 5)


@pytest.mark.parametrize(
    ("layers", "inputs", "message"),
    [
        (
            'kind = "conv2d", channels = 3, kernel = 3',
            LINES,
            r"conv2d needs \(batch, channels, height, width\); 'x' has shape \(batch, 4, 20\)",
        ),
        (
            'kind = "conv2d", channels = 3, kernel = [3, 3, 3]',
            IMAGES,
            r"expected a whole number or 2 of them, got \[3, 3, 3\]",
        ),
        (
            'kind = "conv2d", channels = 3, kernel = 0',
            IMAGES,
            "at least 1, or a list of them, got 0",
        ),
        (
            'kind = "conv2d", channels = 6, kernel = 3, groups = 3',
            IMAGES,
            r"3 groups do not divide the 4 channels of 'x' of shape \(batch, 4, 9, 9\)",
        ),
        (
            'kind = "conv2d", channels = 5, kernel = 3, groups = 2',
            IMAGES,
            "2 groups do not divide the 5 channels of the layer",
        ),
        (
            'kind = "conv2d", channels = 5, kernel = 3, padding = "full"',
            IMAGES,
            'a list of them, "same" or "valid", got .full.',
        ),
        (
            'kind = "conv2d", channels = 5, kernel = 12, padding = 1',
            IMAGES,
            "conv2d: 12 elements do not fit axis 2 of x",
        ),
        ('kind = "max_pool2d", window = 10', IMAGES, "max_pool2d: 10 elements do not fit axis 2"),
        (
            'kind = "avg_pool1d", window = 2',
            IMAGES,
            r"avg_pool1d needs \(batch, channels, length\)",
        ),
        (
            'kind = "flatten"\nkind = "global_avg_pool"',
            IMAGES,
            r"global_avg_pool needs \(batch, channels, \*space\); 'f1' has shape \(batch, 324\)",
        ),
    ],
)
def test_faults_are_said_at_their_layer(layers: str, inputs: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        load(text_of(layers, inputs))
