"""What sums and products share is computed once, and factors go where they cost no call.

Each formula comes with the calls of NumPy that it may take, and computes what the interpreter does.
"""

from __future__ import annotations

import numpy as np
import pytest

from symdiff.expr import build as b
from symdiff.expr.algebra import linear_combination, power_product
from symdiff.expr.evaluate import evaluate
from symdiff.expr.node import Node
from tests.campaign.expressions import emitted
from tests.oracles import assert_close
from tests.strategies import SIZES

x, y, z, w = (b.input(name, (3, 4)) for name in "xyzw")
c, d = b.input("c", (3, 1)), b.input("d", (3, 1))
r = b.input("r", (4,))
s, t = b.input("s", ()), b.input("t", ())
m = b.input("m", ("n", 4))
SHAPES = {
    **dict.fromkeys("xyzw", (3, 4)),
    **dict.fromkeys("cd", (3, 1)),
    "r": (4,),
    "s": (),
    "t": (),
    "m": (2, 4),
}
VALUES = {
    name: np.asarray(np.random.default_rng(seed).uniform(0.5, 2.0, shape))
    for seed, (name, shape) in enumerate(SHAPES.items())
}


def product(*factors: Node | tuple[Node, float]) -> Node:
    """One product, however many factors it has."""
    pairs = [(each, 1.0) if isinstance(each, Node) else each for each in factors]
    return power_product(pairs)


def total(*terms: tuple[Node, float], constant: float = 0.0) -> Node:
    """One sum, however many terms it has."""
    return linear_combination(list(terms), constant)


def wanted(*nodes: Node) -> tuple[Node, ...]:
    """Nodes that are all wanted as they are."""
    return nodes


PRODUCTS = {
    "a b in two products": (wanted(product(x, y, z), product(x, y, w)), 3),
    "a b alone and in another": (wanted(product(x, y), product(x, y, w)), 2),
    "three of a b c, b c d, c b": (wanted(product(x, y, z), product(y, z, w), product(z, y)), 3),
    "a / b, and b below": (wanted(product(x, (y, -1)), product(x, (y, -1), z)), 2),
    "a b, and below the line": (wanted(product(x, y), product(z, (x, -1), (y, -1))), 2),
    "a² b and a b": (wanted(product((x, 2), y), product(x, y)), 2),
    "a² b and a² c": (wanted(product((x, 2), y), product((x, 2), z)), 3),
    "2 a b and 2 a c": (wanted(2 * product(x, y), 2 * product(x, z)), 3),
    "2 a b and 3 a b": (wanted(2 * product(x, y), 3 * product(x, y)), 3),
    "of other shapes": (wanted(product(c, r, x), product(c, r, y)), 3),
    "scalars": (wanted(product(s, t, x), product(s, t, y)), 3),
    "a (1 - b) and a (b - 1)": (wanted(product(x, 1 - y), product(x, y - 1, z)), 3),
    "2 (1 - 2 b) a and (2 - 4 b) c": (
        wanted(2 * product(1 - 2 * y, x), product(total((y, -4), constant=2.0), z)),
        5,
    ),
    "a b, and of the same without an axis": (
        wanted(b.exp(product(c[:, 0], d[:, 0])).sum(), product(c, d, x)),
        4,
    ),
}
DOTS = {
    "of all, beside the product": (
        wanted(1 / z, b.einsum("ij,ij,ij->", x, y, 1 / z), product(w, x, y, (z, -1))),
        5,
    ),
    "along an axis, beside the product": (
        wanted(1 / z, b.einsum("ij,ij,ij->i", x, y, 1 / z)[:, None], product(w, x, y, (z, -1))),
        5,
    ),
    "without an axis, beside the product": (
        wanted(b.einsum("i,i,i->", c[:, 0], d[:, 0], 1 / x[:, 0]), c * d / x[:, 0:1] * y),
        4,
    ),
    "of two": (wanted(b.einsum("ij,ij->", x, y), product(w, x, y)), 3),
    "beside no such product": (wanted(b.einsum("ij,ij,ij->", x, y, 1 / z), product(w, x, z)), 4),
}
SUMS = {
    "a + b in two sums": (wanted(total((x, 1), (y, 1), (z, 1)), total((x, 1), (y, 1), (w, 1))), 3),
    "a + b alone and in another": (wanted(x + y, total((x, 1), (y, 1), (z, 1))), 2),
    "1 - a in another": (wanted(1 - x, total((y, 1), (x, -1), constant=1.0)), 2),
    "multiples": (wanted(total((x, 1), (y, 2)), total((x, 3), (y, 6), (z, 1))), 4),
    "a sum with a sign": (wanted(x - y, total((y, 1), (x, -1), (z, 1))), 2),
    "three terms, three times": (
        wanted(total((x, 2), (y, 2), (z, -3)), total((x, 6), (y, 6), (z, -9))),
        5,
    ),
    "a number before terms": (total((x, 3), (y, 3), (z, -3)), 3),
    "a number that a multiple has too": (
        wanted(3 * x, total((x, -3), (product(x, y), 3), (z, 1))),
        4,
    ),
    "a number before a sum": (
        wanted(3 * x, product(3 * total((x, -1), constant=1.0), y)),
        3,
    ),
    "a number before a sum of a product": (
        wanted(3 * x, product(3 * total((product(x, z), -1), constant=1.0), y)),
        4,
    ),
    "a number before what two products share": (
        wanted(
            3 * x,
            *(power_product([(product(1 - x, z), 1.0), (each, 1.0)], 3.0) for each in (y, w)),
        ),
        5,
    ),
    "a number before what a product and a sum share": (
        wanted(
            power_product([(product(x, z), 1.0), (y, 1.0)], 3.0), total((product(x, z), 1), (w, 1))
        ),
        4,
    ),
    "a number before a sum that another product has with a sign": (
        total(
            (product(z, x**2 - 1, y), 3),
            (product(1 - x**2, y), -6),
            (x**2, -3),
            constant=3.0,
        ),
        8,
    ),
    "a number before a sum, by itself": (product(3 * total((x, -1), constant=1.0), y), 3),
    "a number before two sums of products": (
        wanted(
            *(3 * each for each in (x, w)),
            power_product(
                [
                    (total((power_product([(x**2 - 1, 1.0), (z, 1.0)], 3.0), -1), constant=1.0), 1),
                    (1 - w**2, 1.0),
                ],
                3.0,
            ),
        ),
        9,
    ),
    "a number that a product has too": (
        wanted(total((product(x, y), 3), constant=1.0), total((product(x, z), 3), (w, 1))),
        5,
    ),
}
ABSORBED = {
    "c Σ 1/t": (c[:, 0] * (1 / x).sum(1), 2),
    "s Σ 1/t": (s * (1 / x).sum(), 2),
    "2 Σ 1/t": (2 * (1 / x).sum(0), 2),
    "r Σ 1/(t u)": (r * product((x, -1), (y, -1)).sum(0), 3),
    "Σ 1/t twice": (wanted((1 / x).sum(1), c[:, 0] * (1 / x).sum(1)), 3),
    "Σ (1/t)[0]": (s * (1 / x)[0].sum(), 2),
    "c Σ 1/t, with the axis": (c * (1 / x).sum(1, keepdims=True), 2),
    "a · (1/t) / 3": ((r @ (1 / x[0])) / 3, 2),
    "s Σ 1/t beside s / t": (
        wanted(product(t, s, (1 / x).sum()), product(s, (x, -1), y)),
        4,
    ),
    "the other factor of Σ 1/t beside it over t": (
        wanted(product(t, s, (1 / x).sum()), product(t, (x, -1), y)),
        4,
    ),
    "|Σ x| / n": (b.abs(x.sum(0)) / 3, 2),
    "|Σ x| / n in a sum": (total((b.abs(x.sum(0)), 1 / 3), constant=1.0), 3),
    "k |x| beside k x": (wanted(3 * x, total((b.abs(x), 3), constant=1.0)), 3),
    "k |x| y beside k x": (wanted(3 * x, power_product([(b.abs(x), 1.0), (y, 1.0)], 3.0)), 3),
    "|x| / n beside x / n": (wanted(m / b.size_node("n"), b.abs(m) / b.size_node("n")), 2),
    "k (|x| y) in a sum, beside k x": (
        wanted(3 * x, total((product(b.abs(x), y), 3), constant=1.0)),
        4,
    ),
    "k |x y| beside k x y": (wanted(3 * (x * y), 1 + 3 * b.abs(x * y)), 4),
    "k |x| and |x|": (wanted(3 * x, 3 * b.abs(x), b.abs(x)), 3),
}
NORMS = {
    "of a product": (b.sqrt(product((x, 2), (y, 2)).sum(1)), 2),
    "of a quotient": (b.sqrt(product((x, 2), (y, -2)).sum(1)), 2),
    "of a product with what has no gradient": (
        b.sqrt(product((x, 2), (b.stop_gradient(y), 2)).sum(1)),
        2,
    ),
    "with a factor": (b.sqrt(c[:, 0] ** 2 * (x**2).sum(1)), 2),
    "with a square that is wanted": (
        wanted(c[:, 0] ** 2 * (x**2).sum(1), b.sqrt(c[:, 0] ** 2 * (x**2).sum(1))),
        5,
    ),
}
SIGMOIDS = {
    "a slope": (b.sigmoid(x) * b.sigmoid(-x), 5),
    "a slope beside a logarithm": (wanted(b.sigmoid(x) * b.sigmoid(-x), b.softplus(x)), 5),
}
NUMBERS = {
    "sizes first": (product(s, b.size_node("n"), m.sum()), 3),
    "a sum that is squared": (product(x, (total((x**2, -0.3), constant=1.0), 2.0)) * 0.3, 5),
    "of numbers only": (b.log(b.broadcast_to(b.constant(1.0), (3, 4))) * x, 0),
}
CASES = {
    f"{kind}, {name}": case
    for kind, cases in {
        "products": PRODUCTS,
        "dots": DOTS,
        "sums": SUMS,
        "absorbed": ABSORBED,
        "norms": NORMS,
        "sigmoids": SIGMOIDS,
        "numbers": NUMBERS,
    }.items()
    for name, case in cases.items()
}


@pytest.mark.parametrize("name", CASES)
def test_calls_and_values(name: str) -> None:
    found, calls = CASES[name]
    nodes = (found,) if isinstance(found, Node) else found
    root = nodes[0] if len(nodes) == 1 else total(*((b.sin(node), 1.0) for node in nodes))
    made = emitted(root, VALUES)
    around = 2 * len(nodes) - 1 if len(nodes) > 1 else 0  # the sines, and the sum of them
    assert made.calls == calls + around, made.source
    assert_close(made.result, evaluate(root, VALUES, SIZES), 1e-13)
