"""The steps of a contraction, remembered: a deep network has the same ones in every layer.

Which they are hangs on the indices and on the operands' shapes and dtypes, where the operands are
no views; then they are worked out once, for stand-ins, and made again from that.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from codegen.builder import Builder
from codegen.contraction import Contraction, contracted, contraction_of
from codegen.program import LEAVES, VIEWS, Step
from symdiff.expr.node import Node
from symdiff.expr.records import record
from symdiff.expr.shapes import Shape

#: Of an operand the shape, the dtype, whether it is computed, and the first operand equal to it.
Form = tuple[Shape, str, bool, int]

#: Actions of which it matters what they are made of.
_TOLD = VIEWS | {"take", "pick"}


@record(frozen=True, slots=True)
class Recipe:
    """Steps whose arguments count the operands first, and which of all is the result."""

    steps: tuple[Step, ...]
    result: int


def lower_contract(builder: Builder, node: Node, args: Sequence[int]) -> int:
    """The register of a contraction of the registers ``args``."""
    contraction = contraction_of(builder, node)
    forms: list[Form] = []
    for arg, x in zip(args, node.inputs, strict=True):
        step = builder.steps[arg]
        if step.weak or step.action in _TOLD or step.shape != x.shape:
            return contracted(builder, contraction, args, [x.shape for x in node.inputs])
        forms.append((step.shape, step.dtype, step.action not in LEAVES, args.index(arg)))
    recipe = _recipe(contraction, tuple(forms), builder.short)
    registers = list(args)
    for step in recipe.steps:
        registers.append(builder.put(step, tuple([registers[a] for a in step.args])))
    return registers[recipe.result]


@lru_cache(maxsize=4096)
def _recipe(contraction: Contraction, forms: tuple[Form, ...], short: bool) -> Recipe:
    """The steps for operands of these forms."""
    builder = Builder("", short)
    for place, (shape, dtype, is_computed, _) in enumerate(forms):
        action = "call" if is_computed else "leaf"
        builder.steps.append(Step(place, action, (), (), shape, dtype, False))
    args = [first for *_, first in forms]
    result = contracted(builder, contraction, args, [shape for shape, *_ in forms])
    return Recipe(tuple(builder.steps[len(forms) :]), result)
