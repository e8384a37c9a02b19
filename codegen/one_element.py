"""Arrays of one element, made as such where a call can put them there.

The bias of one unit has a gradient of one element.  As a number with an axis inserted it would be
no call's result: it could neither be put where it is returned, nor be scaled with its layer's other
gradients.  A sum of a vector is a product of ones with the vector as a column, a dot product that
of a row with a column.
"""

from __future__ import annotations

from dataclasses import replace

from codegen import views
from codegen.arithmetic import mul
from codegen.expansion import Expansion


def with_axis(work: Expansion, register: int) -> int | None:
    """A number of the program, that only its axis is wanted of, as an array of one element."""
    step = work.program.steps[register]
    alone = len(work.readers[register]) == 1 and register not in work.results
    if not alone or not step.dtype.startswith("float"):
        return None
    sources = [work.program.steps[a] for a in step.args]
    if step.action == "mul":
        factors = zip(sources, step.detail("exponents"), strict=True)
        numbers = [(x.dest, e) for x, e in factors if not x.weak]
        if len(numbers) != 1 or numbers[0][1] != 1:
            return None
        own = with_axis(work, numbers[0][0])
        if own is None:
            return None
        args = [own if a == numbers[0][0] else work.place[a] for a in step.args]
        return mul(work, replace(step, shape=(1,)), args)
    if any(len(x.shape) != 1 or x.dtype != step.dtype for x in sources):
        return None
    if step.action == "sum":
        left = work.constant("ones", sources[0].shape, step.dtype)
    elif step.action == "matmul":
        # Of two vectors the one that is a matrix's column anyhow.
        sources.sort(key=lambda x: x.action == "index")
        left = work.place[sources[0].dest]
    else:
        return None
    right = work.place[sources[-1].dest]
    column = views.index(work.builder, right, [views.KEEP, views.NEW])
    return work.call("dot", [left, column], (1,), step.dtype, hint="total")
