"""Which intermediate results get a name, and that no chain is too long to print."""

from __future__ import annotations

import subprocess
import sys

from symdiff.calculus.reverse import grad
from symdiff.expr import build as b
from symdiff.inspect.layout import Partial
from symdiff.inspect.naming import LINE
from symdiff.inspect.show import one_line, to_latex, to_text

x, W = b.input("x", ("batch", 64)), b.parameter("W", (64, 10))
z = x @ W
q = b.softmax(z)


def test_given_names_are_defined_above_their_use() -> None:
    assert to_text({"r": q * q}, {z: "z", q: "q"}).splitlines() == [
        "z = x W",
        "q = softmax(z)",
        "r = q²",
    ]


def test_names_that_the_roots_do_not_need_are_not_printed() -> None:
    assert to_text({"r": z}, {q: "q"}) == "r = x W"


def test_a_shared_expression_is_named() -> None:
    t = b.tanh(x @ W + 1)
    assert to_text({"r": t * b.exp(t)}).splitlines() == ["t1 = tanh(x W + 1)", "r = t1 ⊙ exp(t1)"]


def test_a_short_shared_expression_is_written_out() -> None:
    v = b.input("v")
    assert to_text({"r": b.sin(v) * b.exp(b.sin(v))}) == "r = exp(sin(v)) sin(v)"


def test_a_root_names_its_value_in_other_lines() -> None:
    h = b.tanh(x @ W + 1)
    assert to_text({"h": h, "r": b.sum(h)}).splitlines() == ["h = tanh(x W + 1)", "r = Σ(h)"]


def test_equal_roots_refer_to_the_first() -> None:
    u, v = b.input("u"), b.input("v")
    du, dv = grad(0.25 * b.sin(u + v), [u, v])
    printed = to_text({Partial("J", "u"): du, Partial("J", "v"): dv})
    assert printed.splitlines() == ["∂J/∂u = 0.25 cos(u + v)", "∂J/∂v = ∂J/∂u"]


def test_a_short_root_is_written_out() -> None:
    u = b.input("u")
    f = b.exp(u)
    printed = to_text({"f": f, Partial("f", "u", 2): grad(grad(f, u), u)})
    assert printed.splitlines() == ["f = exp(u)", "∂²f/∂u² = exp(u)"]


def test_one_line_leaves_out_what_needs_a_name() -> None:
    t = b.tanh(x @ W + 1)
    assert one_line(t * b.exp(t)) == "… ⊙ exp(…)"


def test_fresh_names_avoid_those_of_the_user() -> None:
    t1 = b.input("t1", ("batch", 10))
    t = b.tanh(x @ W + t1)
    assert to_text({"t2": t * b.exp(t)}).splitlines()[0].startswith("t3 = ")


def test_shapes_stand_beside_the_equations() -> None:
    assert to_text({"z": z}, shapes=True) == "z = x W    (batch, 10)"


def test_lines_stay_short() -> None:
    u = b.input("u")
    for i in range(40):
        u = b.sin(u * u + i) / (1 + b.exp(u))
    printed = to_text({"r": u}).splitlines()
    assert max(map(len, printed)) <= LINE + 8
    assert len(printed) > 3


def test_a_chain_of_ten_thousand_prints() -> None:
    u = b.input("u", (3,))
    for _ in range(10_000):
        u = b.sin(u)
    printed = to_text({"r": u})
    assert printed.count("sin") == 10_000
    assert to_latex({"r": u}).count(r"\sin") == 10_000


PROGRAM = """
from symdiff.calculus.reverse import grad
from symdiff.expr import build as b
from symdiff.inspect.show import to_text
x, W, V = b.input("x", ("batch", 4)), b.parameter("W", (4, 3)), b.parameter("V", (3, 3))
J = b.mean(b.tanh(b.tanh(x @ W) @ V) ** 2) + b.sum(W**2)
print(to_text(dict(zip("WV", grad(J, [W, V])))).encode("utf-8").hex())
"""


def test_the_text_is_the_same_in_every_process() -> None:
    texts = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1


def test_a_part_of_a_part_that_has_a_name_is_printed() -> None:
    """The element of a slice is read off the slice, by its name where it has one."""
    pairs = b.input("pairs", ("batch", 4, 4))
    corner = b.index(pairs, (slice(None), slice(0, 1), slice(1, 2)))
    element = b.index(corner, (slice(None), 0, 0))
    assert to_text({"r": element}) == "r = pairs[:, 0, 1]"
    assert to_text({"r": element}, {corner: "corner"}).splitlines() == [
        "corner = pairs[:, :1, 1:2]",
        "r = corner[:, 0, 0]",
    ]
