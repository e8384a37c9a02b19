"""Programs of single NumPy calls: what can be told where to put its result.

A step of a program is an operation of mathematics, and may hold a whole sum.  Here each becomes
calls that take ``out=``: a sum is a chain of additions, a power a product, a contraction the one
matrix product that BLAS has for it, on merged axes.  Equal calls are made once, so that a square
that two expressions use is computed once.  Numbers without axes stay expressions.
"""

from __future__ import annotations

from dataclasses import replace

from codegen import softmaxes, views, windows
from codegen.arithmetic import add, mul
from codegen.expansion import Expansion, Rule
from codegen.one_element import with_axis
from codegen.products import matmul, tensordot, total, vecdot
from codegen.program import Program, Step
from codegen.sigmoids import sigmoid

#: Functions of arrays, an element at a time, that NumPy has under their own names.
UNARY = frozenset(
    """exp expm1 log log1p sin cos tan sinh cosh tanh arctan arcsinh arctanh abs
    sign arccosh arcsin""".split()
)
BINARY = frozenset({"hypot", "maximum", "minimum"})
COMPARISONS = {
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "eq": "equal",
    "ne": "not_equal",
}
#: Kernels of the module's own that take ``out``.
HELPERS = {
    "softplus": "_softplus_into",
    "softmax": "_softmax_into",
    "log_softmax": "_log_softmax_into",
}


def single_calls(program: Program) -> Program:
    """The program as one whose array steps are single calls wherever NumPy has such."""
    return apart(Expansion(program, RULES).run())


def apart(program: Program) -> Program:
    """The program with results in memory of their own, where two have come to be one call's."""
    steps, results, taken = list(program.steps), dict(program.results), set[int]()
    for label, register in program.results.items():
        base = program.base(register)
        if base in taken:
            step, results[label] = program.steps[register], len(steps)
            details = (("of", len(taken)),)
            steps.append(
                Step(len(steps), "copy", (register,), details, step.shape, step.dtype, False)
            )
        taken.add(base)
    return (
        program
        if len(steps) == len(program.steps)
        else replace(program, steps=tuple(steps), results=results)
    )


def _unary(work: Expansion, step: Step, args: list[int]) -> int:
    return work.ufunc(step.action, args, step.dtype)


def _compare(work: Expansion, step: Step, args: list[int]) -> int:
    return work.ufunc(COMPARISONS[step.action], args, step.dtype)


#: From this width on, NumPy has the larger of two rows sooner than that of a row and a number.
_WIDE = 64


def _relu(work: Expansion, step: Step, args: list[int]) -> int:
    *rows, width = work.step(args[0]).shape
    if rows and isinstance(width, int) and width >= _WIDE:
        zero = work.constant("zeros", (width,), step.dtype)
    else:
        zero = work.number(0.0, step.dtype)
    return work.ufunc("maximum", [args[0], zero], step.dtype)


def _helper(work: Expansion, step: Step, args: list[int]) -> int:
    if step.action in softmaxes.FAMILY and work.softmaxes.apart(step):
        return softmaxes.member(work, step, args)
    if step.action not in HELPERS:
        return work.same(step, args)
    details = {key: value for key, value in step.details if key == "axes"}
    name = HELPERS[step.action]
    return work.call(name, args, step.shape, step.dtype, elementwise=True, **details)


def _take(work: Expansion, step: Step, args: list[int]) -> int:
    if step.args[0] in work.softmaxes.picked:
        return softmaxes.picked(work, step)
    return work.same(step, args)


def _where(work: Expansion, step: Step, args: list[int]) -> int:
    """Zeros but where the mask is true: a product, where that says the same."""
    mask, x, other = (work.step(a) for a in args)
    zero = other.action == "number" and float(other.detail("literal")) == 0
    if not zero or not x.shape or x.dtype != step.dtype or mask.dtype != "bool":
        return work.same(step, args)
    return work.call("_masked", [args[1], args[0]], step.shape, step.dtype, elementwise=True)


def _concatenate(work: Expansion, step: Step, args: list[int]) -> int:
    axes = (step.detail("axis"),)
    return work.call("concatenate", args, step.shape, step.dtype, axes=axes)


def _outer(work: Expansion, step: Step, args: list[int]) -> int:
    """Broadcast: np.outer makes vectors of what it is given, and of what it gives back."""
    column = views.index(work.builder, args[0], [views.KEEP, views.NEW])
    return work.ufunc("multiply", [column, args[1]], step.dtype)


def _index(work: Expansion, step: Step, args: list[int]) -> int:
    """Axes dropped and inserted, of what may have been made with them."""
    if step.shape == (1,) and not work.step(args[0]).shape:
        made = with_axis(work, step.args[0])
        if made is not None:
            return made
    return views.index(work.builder, args[0], step.detail("items"))


RULES: dict[str, Rule] = {
    "index": _index,
    **dict.fromkeys(UNARY | BINARY, _unary),
    **dict.fromkeys(COMPARISONS, _compare),
    **dict.fromkeys((*HELPERS, "logsumexp"), _helper),
    "take": _take,
    "sigmoid": sigmoid,
    "relu": _relu,
    "add": add,
    "mul": mul,
    "matmul": matmul,
    "tensordot": tensordot,
    "vecdot": vecdot,
    "sum": total,
    "outer": _outer,
    "concatenate": _concatenate,
    "where": _where,
    "columns": windows.columns_call,
    "pooled": windows.pooled_call,
    "overlap_add": windows.overlap_add_call,
}
