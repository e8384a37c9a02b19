"""Steps that hold programs of their own, and how they are written."""

from __future__ import annotations

import numpy as np

from codegen.blocks import Stack
from codegen.builder import Builder
from codegen.lines import indented
from codegen.names import Locals, Names
from codegen.program import Program
from codegen.style import ModuleUse, Style
from codegen.writer import write_body
from symdiff.expr import build as b

X = b.input("x", ("n",))


def running_product() -> Program:
    """carry = carry * x[t], from 1: all of them, and the last."""
    inner = Builder("float64")
    carry = inner.emit("carry", shape=(), dtype="float64", position=0)
    element = inner.emit("round", shape=(), dtype="float64", position=1)
    settings = {"exponents": (1.0, 1.0), "coefficient": 1.0}
    product = inner.emit("mul", [carry, element], shape=(), dtype="float64", **settings)
    block = Program(tuple(inner.steps), {"update 0": product}, {}, ())

    outer = Builder("float64")
    one = outer.strong(outer.number(1.0, "float64"))
    x = outer.emit("leaf", shape=X.shape, dtype=X.dtype, node=X)
    loop = outer.emit(
        "loop",
        [one, x],
        shape=(),
        dtype="float64",
        blocks=(block,),
        length="n",
        reverse=False,
        carries=("p",),
        stacks=(Stack("kept", "update 0", (), "float64", start=0),),
        read_once=(0,),
        indexed=(1,),
    )
    kept = outer.pick(loop, "kept", ("n + 1",), "float64", hint="products")
    last = outer.pick(loop, "final 0", (), "float64", hint="p")
    return Program(tuple(outer.steps), {"all": kept, "last": last}, {}, ())


def test_a_block_reads_what_is_around_it_and_leaves_values_behind() -> None:
    style = Style("float64", Names(["x"]), "dtype", ModuleUse())
    labels = {"all": "products", "last": "p"}
    body = write_body(running_product(), style, Locals(["x", "n"]), {X: "x"}, {}, {}, labels)
    assert list(body.lines) == [
        "p = dtype.type(1)",
        "products = np.empty(n + 1, dtype=dtype)",
        "products[0] = p",
        "for t in range(n):",
        "    p = p * x[t]",
        "    products[t + 1] = p",
    ]
    text = "\n".join(["def run(x, n, dtype):", *indented([*body.lines, "return products, p"])])
    space: dict[str, object] = {"np": np}
    exec(text, space)  # noqa: S102  (our own text, just asserted)
    products, last = space["run"](np.array([2.0, 3.0, 4.0]), 3, np.dtype("float64"))  # type: ignore[operator]
    np.testing.assert_array_equal(products, [1, 2, 6, 24])
    assert last == 24


def test_the_steps_of_blocks_are_steps_of_the_program() -> None:
    program = running_product()
    assert "mul" in [step.action for step in program.walk()]
    assert "mul" not in [step.action for step in program.steps]


def test_a_loop_does_without_range_where_the_user_has_one() -> None:
    style = Style("float64", Names(["range"]), "dtype", ModuleUse())
    names, labels = Locals(["range", "n"]), {"all": "products", "last": "p"}
    body = write_body(running_product(), style, names, {X: "range"}, {}, {}, labels)
    assert "for t in np.arange(n):" in body.lines
