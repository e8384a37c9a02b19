"""Layers over sequences, normalisations and units: the equations that they stand for."""

from __future__ import annotations

import pytest

from symdiff.errors import SpecError
from symdiff.spec.load import load
from symdiff.spec.model import Model
from symdiff.spec.write import equations_text

TOKENS = """\
ids = { shape = ["batch", "time"], labels = 50 }
mask = { shape = ["batch", "time"], zero_or_one = true }
memory = { shape = ["batch", "source", 6] }
y = { shape = ["batch", "time", 4] }
"""
IMAGES = 'x = { shape = ["batch", 6, 5, 5] }\ny = { shape = ["batch", 6, 5, 5] }\n'
FEATURES = """\
x = { shape = ["batch", 6] }
keep = { shape = ["batch", 6], zero_or_one = true }
y = { shape = ["batch", 4] }
"""


def text_of(layers: str, inputs: str) -> str:
    """A layered spec; layers are inline tables, one a line."""
    tables = "".join(f"  {{ {line} }},\n" for line in layers.strip().splitlines())
    loss = 'kind = "squared_error"' if "kind" in layers else ""
    return f'name = "m"\nlayers = [\n{tables}]\n[inputs]\n{inputs}\n[loss]\n{loss}\n'


def layered(layers: str, inputs: str = TOKENS) -> Model:
    """The model, which must read back from its equations."""
    model = load(text_of(layers, inputs))
    again = load(equations_text(model))
    assert again.per_example is model.per_example
    assert again.parameters == model.parameters
    return model


def equations(model: Model) -> list[str]:
    """``name = formula`` line by line."""
    return [f"{name} = {equation.text}" for name, equation in model.equations.items()]


def shapes(model: Model) -> dict[str, tuple[object, ...]]:
    """The parameters' shapes."""
    return {name: p.node.shape for name, p in model.parameters.items()}


LAST = 'kind = "dense", units = 4'


def test_embedding_and_positions() -> None:
    model = layered(
        f'kind = "embedding", units = 6, padding_idx = 0, init = "normal"\n'
        f'kind = "positions", length = 32\n{LAST}'
    )
    assert equations(model) == [
        "h1 = embedding(E1, ids, padding_idx=0)",
        "h2 = h1 + P2[:h1.shape[1]]",
        "h3 = h2 @ W3 + b3",
    ]
    assert shapes(model) == {"E1": (50, 6), "P2": (32, 6), "W3": (6, 4), "b3": (4,)}
    assert model.parameters["E1"].init == "normal"


def test_positions_of_a_length_read_from_the_data() -> None:
    model = layered(f'kind = "embedding", units = 6\nkind = "positions", length = "time"\n{LAST}')
    assert equations(model)[1] == "h2 = h1 + P2"
    assert shapes(model)["P2"] == ("time", 6)


def test_bags_of_embeddings() -> None:
    inputs = TOKENS.replace('y = { shape = ["batch", "time", 4] }', 'y = { shape = ["batch", 4] }')
    bag = 'kind = "embedding", units = 4, bag = "mean", weights = "mask", rows = 60'
    model = layered(bag, inputs)
    assert equations(model) == ["h1 = embedding_bag(E1, ids, weights=mask, mode='mean')"]
    assert shapes(model) == {"E1": (60, 4)}
    plain = layered('kind = "embedding", units = 4, bag = "sum", padding_idx = 1', inputs)
    assert equations(plain) == ["h1 = embedding_bag(E1, ids, padding_idx=1)"]


def test_attention() -> None:
    model = layered(
        'kind = "embedding", units = 6\n'
        'kind = "attention", heads = 2, causal = true, mask = "mask"\n'
        f'kind = "attention", memory = "memory", bias = true\n{LAST}'
    )
    assert equations(model)[1:-1] == [
        "q2 = h1 @ Wq2",
        "k2 = h1 @ Wk2",
        "v2 = h1 @ Wv2",
        "m2 = attention(q2, k2, v2, mask=mask[:, None, :], causal=True, heads=2)",
        "h2 = m2 @ Wo2",
        "q3 = h2 @ Wq3 + bq3",
        "k3 = memory @ Wk3 + bk3",
        "v3 = memory @ Wv3 + bv3",
        "m3 = attention(q3, k3, v3)",
        "h3 = m3 @ Wo3 + bo3",
    ]


def test_a_transformer_block_is_made_of_other_layers() -> None:
    block = 'kind = "transformer_block", heads = 2, hidden = 8, causal = true, bias = false'
    model = layered(f'kind = "embedding", units = 6\n{block}\n{LAST}')
    assert equations(model)[1:-1] == [
        "h2 = layer_norm(h1, gain=g2, offset=o2)",
        "q3 = h2 @ Wq3",
        "k3 = h2 @ Wk3",
        "v3 = h2 @ Wv3",
        "m3 = attention(q3, k3, v3, causal=True, heads=2)",
        "h3 = m3 @ Wo3",
        "r1 = h1 + h3",
        "h4 = layer_norm(r1, gain=g4, offset=o4)",
        "h5 = gelu(h4 @ W5)",
        "h6 = h5 @ W6",
        "r2 = r1 + h6",
    ]
    after = layered(
        f'kind = "embedding", units = 6\n{block}, norm_first = false, norm = "rms_norm", '
        f'activation = "relu", memory = "memory"\n{LAST}'
    )
    made = [line.split(" = ")[1].split("(")[0] for line in equations(after)[1:-1]]
    block_of_attention = ["h1 @ Wq2", "h1 @ Wk2", "h1 @ Wv2", "attention", "m2 @ Wo2", "h1 + h2"]
    assert made[:7] == [*block_of_attention, "rms_norm"]
    assert [line for line in equations(after) if "memory" in line] == [
        "k4 = memory @ Wk4",
        "v4 = memory @ Wv4",
    ]
    assert made[-4:] == ["relu", "h6 @ W7", "h5 + h7", "rms_norm"]


def test_a_head_tied_to_the_embedding() -> None:
    inputs = TOKENS.replace('["batch", "time", 4]', '["batch", "time"], labels = 50')
    layers = 'kind = "embedding", units = 6\nkind = "dense", units = 50, tied = "E1"'
    text = text_of(layers, inputs).replace("squared_error", "softmax_cross_entropy")
    model = load(text)
    assert equations(model)[1] == "h2 = h1 @ E1.T + b2"
    assert [*model.parameters] == ["E1", "b2"]


def test_normalisations() -> None:
    model = layered(
        'kind = "layer_norm", offset = false\nkind = "group_norm", groups = 3, eps = 1e-4\n'
        'kind = "batch_norm", trainable = false\nkind = "rms_norm", gain = false',
        IMAGES,
    )
    assert equations(model) == [
        "h1 = layer_norm(x, gain=g1)",
        "h2 = group_norm(h1, 3, gain=g2, offset=o2, eps=0.0001)",
        "h3 = batch_norm(h2, mean3[:, None, None], var3[:, None, None], "
        "gain=g3[:, None, None], offset=o3[:, None, None])",
        "h4 = rms_norm(h3)",
    ]
    assert shapes(model)["g1"] == (5,)
    assert shapes(model)["g2"] == (6,)
    assert [*model.trainable] == ["g1", "g2", "o2"]
    assert model.parameters["var3"].init == "ones"


def test_units() -> None:
    model = layered(
        'kind = "prelu"\nkind = "dropout", mask = "keep", rate = 0.25\n'
        'kind = "maxout", units = 5, pieces = 3\nkind = "prelu", shared = true, value = 0.1\n'
        'kind = "low_rank", units = 4, rank = 2, activation = "tanh"',
        FEATURES,
    )
    assert equations(model) == [
        "h1 = prelu(x, a1)",
        "d1 = dropout(h1, keep, 0.25)",
        "h2 = maxout(d1 @ W2 + b2, 3)",
        "h3 = prelu(h2, a3)",
        "h4 = tanh(low_rank(h3, U4, V4) + b4)",
    ]
    assert shapes(model) == {
        "a1": (6,), "W2": (6, 15), "b2": (15,), "a3": (), "U4": (5, 2), "V4": (2, 4), "b4": (4,),
    }  # fmt: skip
    assert equations(layered('kind = "prelu", axis = 1', IMAGES)) == [
        "h1 = prelu(x, a1[:, None, None])"
    ]


EMBED = 'kind = "embedding", units = 6\n'
FAULTS = {
    'kind = "embedding", units = 6, weights = "mask"': "weights are of the rows of a bag",
    'kind = "embedding", units = 6, padding_idx = 50': "padding_idx 50 is no row of E1",
    f'{EMBED}kind = "attention", heads = 4': "4 heads do not divide the 6 features of 'h1'",
    f'{EMBED}kind = "attention", mask = "msk"': "no value above is called 'msk'; did you mean "
    "'mask'?",
    f'{EMBED}kind = "positions", length = "batch"': "'batch' is the example axis",
    f'{EMBED}kind = "group_norm", groups = 0': "expected a size of at least 1, got 0",
    f'{EMBED}kind = "layer_norm", eps = -1': "expected at least 0, got -1.0",
    f'{EMBED}kind = "dropout", mask = "mask", rate = 1': "expected at least 0 and less than 1",
    f'{EMBED}kind = "dense", units = 49, tied = "E1"': "the transpose of 'E1' of shape (50, 6) is "
    "not the weight: expected shape (49, 6)",
    f'{EMBED}kind = "dense", units = 50, tied = "E1", init = "zeros"': "a tied weight begins as",
    f'{EMBED}kind = "transformer_block", hidden = 8, memory_mask = "mask"': "memory_mask needs "
    "memory",
    f'{EMBED}kind = "embedding", units = 6': "embedding needs labels, which 'h1' does not hold",
}


@pytest.mark.parametrize("layers", FAULTS)
def test_faults(layers: str) -> None:
    with pytest.raises(SpecError) as caught:
        load(text_of(layers, TOKENS))
    assert len(caught.value.lines) == 1
    assert FAULTS[layers] in caught.value.lines[0]
