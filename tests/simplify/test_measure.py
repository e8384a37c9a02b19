"""Rules decrease the measure, also where views, reshapes, powers or choices lie in between."""

from __future__ import annotations

import pytest

from symdiff.expr import build as b
from symdiff.expr.algebra import scalar
from symdiff.expr.node import Node
from symdiff.simplify import simplify

x, y, v = (b.input(name, (12,)) for name in ("x", "y", "v"))
d, flags = b.input("d", (2, 6)), b.input("flags", (2, 6)) > 0
z, c = b.input("z", (2, 6, 4)), b.input("c", (2, 6, 1))
s, t = b.input("s", ()), b.input("t", ())
A, positive = b.input("A", (12, 12), positive=True), b.input("positive", (12,), positive=True)
product = b.exp(d) * d.sum()


def flat(node: Node) -> Node:
    """The node with two axes made one."""
    return b.reshape(node, (12, *node.shape[2:]))


def _scaled(size: Node, power: int, over: int) -> Node:
    """A reciprocal of hypot of a quotient, over powers of what it is divided by."""
    return 1 / scalar("hypot", x / size**power, y) / size**over


MOVED = {
    "a root of a sum": flat(d + 1) ** 0.5,
    "a logistic function": 1 / flat(1 + b.exp(d)),
    "another reciprocal": 1 / flat(2 + product),
    "a root of a product": flat(product) ** 0.5,
    "a mask": 3 * flat(b.cast(flags, "float64")) ** 2,
    "a power as an exponential": b.exp(flat(5 * b.log(d))),
    "a size": b.abs(flat(product)),
    "a logarithm": b.log(flat(product)),
    "a sign": b.tanh(flat(-d * d.sum())),
    "a power of a length": flat(scalar("hypot", d, b.exp(d))) ** -3,
    "a choice": flat(b.where(flags, 2 * d, b.exp(d))) ** 3,
    "terms that softmax is indifferent to": b.softmax(flat(z + c), axis=-1),
    "terms that come out of logsumexp": b.logsumexp(flat(z + c), axis=-1),
    "such in a product": b.softmax(flat((z + c) * s), axis=-1),
}
LENGTHS = {
    f"{name}, {power} of {over}": _scaled(size, power, over)
    for name, size in (
        ("a sum", t**2 + 1),
        ("a length", scalar("hypot", t, 1.0)),
        ("a length of functions", scalar("hypot", b.tanh(x.sum()), 1.0)),
        ("a number", b.exp(t)),
    )
    for power, over in ((1, 1), (1, 2), (2, 2), (2, 3), (2, 6))
}
ROOTS = {
    f"{name}, to the {e}": (one**2 + other**2) ** e
    for name, one, other in (
        ("inputs", x, y),
        ("products", x * v, s * t * y),
        ("a product and a number", x * v, b.constant(1.0)),
        ("a multiple and a quotient", 3 * x, y / v),
        ("powers", x**2, y**1.5),
        ("a quotient by a root", x / b.sqrt(positive), b.constant(1.0)),
        ("functions", b.tanh(x), b.sin(x) * v),
    )
    for e in (0.5, -0.5, -1.0, -1.5, -2.0, 1.5)
}
OTHERS = {
    "factors of no known sign": b.abs(x * y * v / (1 + s**2)),
    "multiples of such": b.abs(3 * x * y * b.exp(s)),
    "into choices of choices": b.exp(x) * b.where(v > 0, b.where(y > 0, x, 0.0), 0.0),
    "into a multiple of a choice": b.exp(x) * b.where(v > 0, -b.where(y > 0, x, 0.0), 0.0),
    "quotients with one numerator": 1 / (1 + b.tanh(x)) - 1 / (1 - b.tanh(x)),
    "a tanh of a negative": 2 - 4 * b.sigmoid(-2 * x) + (y - x) / s**2,
    "weights that are sums": b.log(b.einsum("i,ij,j->", b.exp(x), A, b.exp(y))),
    "an exponential beside the root of a sigmoid": b.exp(x) * b.sqrt(b.sigmoid(-x)) + b.exp(x),
    "the other way round": b.exp(-x) * b.sqrt(b.sigmoid(x)),
    "powers of both": b.exp(x) ** 1.5 * b.sigmoid(-x) ** 2 + b.exp(x) ** 3 * b.sqrt(b.sigmoid(-x)),
    "a softmax of powers": s * positive ** (s - 1) / (positive ** (s - 1)).sum(),
}
ALL = {**MOVED, **LENGTHS, **ROOTS, **OTHERS}


@pytest.mark.parametrize("name", ALL)
def test_rules_decrease_the_measure(name: str) -> None:
    simplify(ALL[name], debug=True)
