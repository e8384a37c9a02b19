"""Programs of single NumPy calls: what can be told where to put its result.

A step of a program is an operation of mathematics, and may hold a whole sum.  Here each becomes
calls that take ``out=``: a sum is a chain of additions, a power a product, a contraction the one
matrix product that BLAS has for it, on merged axes.  Equal calls are made once, so that a square
that two expressions use is computed once.  Numbers without axes stay expressions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from codegen import softmaxes, views, windows
from codegen.program import VIEWS, Builder, Program, Step, live
from symdiff.expr.shapes import Shape, Size, broadcast_shapes, shape_size

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
#: Integer powers up to this are products.
MOST_FACTORS = 16


def single_calls(program: Program) -> Program:
    """The program as one whose array steps are single calls wherever NumPy has such."""
    return _Expansion(program).run()


class _Expansion:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.builder = Builder("")
        self.place: dict[int, int] = {}
        self.sigmoids: dict[tuple[int, float], int] = {}
        self.softmaxes = softmaxes.Sharing(program)
        self.readers = program.readers
        self.results = set(program.results.values())

    def run(self) -> Program:
        for step in self.program.steps:
            register = self._expanded(step)
            self.place[step.dest] = register
            node = self.program.nodes.get(step.dest)
            if node is not None:
                self.builder.nodes.setdefault(register, node)
        program = Program(
            tuple(self.builder.steps),
            {label: self.place[r] for label, r in self.program.results.items()},
            self.builder.nodes,
            tuple(self.place[r] for r in self.program.divisors),
        )
        return live(program)

    def _expanded(self, step: Step) -> int:
        args = [self.place[a] for a in step.args]
        rule = RULES.get(step.action)
        if rule is None or not step.shape or step.weak:
            return self.same(step, args)
        return rule(self, step, args)

    def same(self, step: Step, args: Sequence[int]) -> int:
        """The step as it is."""
        blocks = tuple([single_calls(block) for block in step.blocks])
        moved = step.moved(step.dest, tuple(args))
        return self.builder.append(replace(moved, blocks=blocks) if blocks else moved)

    def call(
        self, function: str, args: Sequence[int], shape: Shape, dtype: str, **details: object
    ) -> int:
        """One call; ``elementwise`` ones may write over an argument."""
        settings: dict[str, Any] = {"function": function, **details}
        return self.builder.emit("call", args, shape=shape, dtype=dtype, **settings)

    def ufunc(self, function: str, args: Sequence[int], dtype: str) -> int:
        """A function of elements, broadcasting."""
        shape = broadcast_shapes(*(self.step(a).shape for a in args))
        return self.call(function, args, shape, dtype, elementwise=True)

    def step(self, register: int) -> Step:
        return self.builder.steps[register]

    def number(self, value: float, dtype: str) -> int:
        return self.builder.number(value, dtype)

    def power(self, register: int, exponent: float, dtype: str) -> int:
        """An array to a positive power: products and roots; the slow pow() where there is none."""
        if exponent == 1:
            return register
        whole = math.floor(exponent)
        if exponent - whole == 0.5 and whole <= 2:
            root = self.ufunc("sqrt", [register], dtype)
            if not whole:
                return root
            return self.ufunc("multiply", [self.power(register, whole, dtype), root], dtype)
        if exponent != whole or whole > MOST_FACTORS:
            kind = "int64" if exponent == whole else dtype
            return self.ufunc("power", [register, self.number(exponent, kind)], dtype)
        half = self.power(register, whole // 2, dtype)
        square = self.ufunc("multiply", [half, half], dtype)
        return self.ufunc("multiply", [square, register], dtype) if whole % 2 else square


Rule = Callable[[_Expansion, Step, list[int]], int]


def _unary(work: _Expansion, step: Step, args: list[int]) -> int:
    return work.ufunc(step.action, args, step.dtype)


def _compare(work: _Expansion, step: Step, args: list[int]) -> int:
    return work.ufunc(COMPARISONS[step.action], args, step.dtype)


def _relu(work: _Expansion, step: Step, args: list[int]) -> int:
    return work.ufunc("maximum", [args[0], work.number(0.0, step.dtype)], step.dtype)


def _helper(work: _Expansion, step: Step, args: list[int]) -> int:
    if step.action in softmaxes.FAMILY and work.softmaxes.apart(step):
        return softmaxes.member(work, step, args)
    if step.action not in HELPERS:
        return work.same(step, args)
    details = {key: value for key, value in step.details if key == "axes"}
    name = HELPERS[step.action]
    return work.call(name, args, step.shape, step.dtype, elementwise=True, **details)


def _take(work: _Expansion, step: Step, args: list[int]) -> int:
    if step.args[0] in work.softmaxes.picked:
        return softmaxes.picked(work, step)
    return work.same(step, args)


def _sigmoid(work: _Expansion, step: Step, args: list[int]) -> int:
    """1 / (1 + exp(-x)): exp may overflow on the one side, where the result is 0.

    Of sigmoid(x) and sigmoid(-x) the second is 1 minus the first, as tanh' is 1 - tanh^2.
    """
    x, factor = args[0], 1.0
    source = work.step(x)
    scaled = source.action == "call" and source.detail("function") == "multiply"
    if scaled and work.step(source.args[1]).action == "number":
        x, factor = source.args[0], float(work.step(source.args[1]).detail("literal"))
    elif source.action == "call" and source.detail("function") == "negative":
        x, factor = source.args[0], -1.0
    one = work.number(1.0, step.dtype)
    opposite = work.sigmoids.get((x, -factor))
    if opposite is not None:
        return work.ufunc("subtract", [one, opposite], step.dtype)
    inside = _scaled_argument(work, step, -factor)
    if inside is not None:
        minus = inside
    elif factor == 1:
        minus = work.ufunc("negative", [x], step.dtype)
    elif factor == -1:
        minus = x
    else:
        minus = work.ufunc("multiply", [x, work.number(-factor, step.dtype)], step.dtype)
    below = work.ufunc("exp", [minus], step.dtype)
    below = work.ufunc("add", [below, one], step.dtype)
    result = work.ufunc("divide", [one, below], step.dtype)
    work.sigmoids[x, factor] = result
    return result


def _scaled_argument(work: _Expansion, step: Step, factor: float) -> int | None:
    """A sigmoid's argument times a number, if that saves a pass: see _taken_in.

    The opposite sigmoid, which is 1 minus this one, is the only other that may read the sum.
    """
    steps, product = work.program.steps, work.program.steps[step.args[0]]
    if product.action != "mul" or abs(product.detail("coefficient")) != abs(factor):
        return None
    others = [r for arg in product.args for r in work.readers[arg] if steps[r].action == "mul"]
    opposite = {r for r in others if steps[r].args == product.args}
    if any(steps[r].action != "sigmoid" for made in opposite for r in work.readers[made]):
        return None
    return _taken_in(work, product, factor, len(opposite))


def _merge(work: _Expansion, registers: Sequence[int], function: str, dtype: str) -> int:
    """Operands joined by a commutative function: equal shapes first, small ones into large."""
    groups: dict[Shape, list[int]] = {}
    for register in registers:
        groups.setdefault(work.step(register).shape, []).append(register)
    parts = []
    for group in groups.values():
        total = group[0]
        for register in group[1:]:
            total = work.ufunc(function, [total, register], dtype)
        parts.append(total)
    parts.sort(key=lambda r: len(work.step(r).shape))
    total = parts[0]
    for part in parts[1:]:
        total = work.ufunc(function, [part, total], dtype)
    return total


def _add(work: _Expansion, step: Step, args: list[int]) -> int:
    dtype, constant = step.dtype, step.detail("constant")
    pairs = list(zip(args, step.detail("coefficients"), strict=True))
    scalars = [(a, c) for a, c in pairs if not work.step(a).shape]
    plus: list[int] = []
    minus: list[int] = []
    for register, c in pairs:
        if work.step(register).shape:
            size = abs(c)
            if size != 1:
                scale = work.number(size, dtype)
                register = work.ufunc("multiply", [register, scale], dtype)
            (minus if c < 0 else plus).append(register)
    number = _scalar_sum(work, scalars, constant, dtype)
    if not plus:
        total = _merge(work, minus, "add", dtype)
        first = work.number(0.0, dtype) if number is None else number
        if number is None:
            return _shaped(work, work.ufunc("negative", [total], dtype), step)
        return _shaped(work, work.ufunc("subtract", [first, total], dtype), step)
    total = _merge(work, plus, "add", dtype)
    for register in sorted(minus, key=lambda r: len(work.step(r).shape)):
        less = softmaxes.without_labels(work, total, register)
        total = work.ufunc("subtract", [total, register], dtype) if less is None else less
    if number is not None:
        total = work.ufunc("add", [total, number], dtype)
    return _shaped(work, total, step)


def _shaped(work: _Expansion, register: int, step: Step) -> int:
    if work.step(register).shape != step.shape:
        raise AssertionError(f"{step.action}: made {work.step(register).shape}, not {step.shape}")
    return register


def _scalar_sum(
    work: _Expansion, pairs: Sequence[tuple[int, float]], constant: float, dtype: str
) -> int | None:
    """The terms without axes, and the constant; None if there is nothing to add."""
    if not pairs:
        return None if constant == 0 else work.number(constant, dtype)
    if len(pairs) == 1 and pairs[0][1] == 1 and constant == 0:
        return pairs[0][0]
    return work.builder.emit(
        "add",
        [a for a, _ in pairs],
        shape=(),
        dtype=dtype,
        weak=all(work.step(a).weak for a, _ in pairs),
        coefficients=tuple(c for _, c in pairs),
        constant=constant,
    )


def _taken_in(work: _Expansion, step: Step, number: float, alone: int) -> int | None:
    """A product times a number that is multiplied into a sum of multiples among its factors.

    c (a x + b) y is (ca x + cb) y, a pass less.  None if there is no such sum, or if more than
    ``alone`` steps read it.
    """
    pairs = list(zip(step.args, step.detail("exponents"), strict=True))
    for place, (arg, e) in enumerate(pairs):
        total = work.program.steps[arg]
        if total.action != "add" or e != 1 or not total.shape or arg in work.results:
            continue
        weights = total.detail("coefficients")
        if len(work.readers[arg]) > alone or any(abs(c) == 1 for c in weights):
            continue
        scaled = (
            ("coefficients", tuple(number * c for c in weights)),
            ("constant", number * total.detail("constant")),
        )
        inner = _add(work, replace(total, details=scaled), [work.place[a] for a in total.args])
        args = [work.place[a] for a in step.args]
        args[place] = inner
        details = (("exponents", step.detail("exponents")), ("coefficient", 1.0))
        return _mul(work, replace(step, details=details), args)
    return None


def _mul(work: _Expansion, step: Step, args: list[int]) -> int:
    dtype, coefficient = step.dtype, step.detail("coefficient")
    readers = work.readers.get(step.dest, [])
    if abs(coefficient) != 1 and not any(
        work.program.steps[r].action == "sigmoid" for r in readers
    ):
        inside = _taken_in(work, step, coefficient, 1)
        if inside is not None:
            return inside
    pairs = list(zip(args, step.detail("exponents"), strict=True))
    # Masks multiply what is an array of floats by then: NumPy has no -mask.
    masks = [a for a, _ in pairs if work.step(a).dtype == "bool"]
    masks.sort(key=lambda a: -len(work.step(a).shape))
    scalars = [(a, e) for a, e in pairs if not work.step(a).shape and a not in masks]
    arrays = [(a, e) for a, e in pairs if work.step(a).shape and a not in masks]
    above = [work.power(a, e, dtype) for a, e in arrays if e > 0]
    below: list[int] = []
    for register, e in arrays:
        if e == -2:
            below += [register, register]  # the square of what is kept from overflow may overflow
        elif e < 0:
            below.append(work.power(register, -e, dtype))
    divisor = None
    if not masks and coefficient == 1 and len(scalars) == 1 and scalars[0][1] == -1:
        divisor, scalars = scalars[0][0], []
    number = _scalar_product(work, scalars, coefficient, dtype)
    if above:
        total = _merge(work, above, "multiply", dtype)
        if number is not None:
            minus = work.step(number).action == "number" and coefficient == -1
            total = (
                work.ufunc("negative", [total], dtype)
                if minus and not scalars
                else work.ufunc("multiply", [total, number], dtype)
            )
    else:
        total = number if number is not None else work.number(1.0, dtype)
    for register in below:
        total = work.ufunc("divide", [total, register], dtype)
    if divisor is not None:
        total = work.ufunc("divide", [total, divisor], dtype)
    for mask in masks:
        total = work.ufunc("multiply", [total, mask], dtype)
    return _shaped(work, total, step)


def _scalar_product(
    work: _Expansion, pairs: Sequence[tuple[int, float]], coefficient: float, dtype: str
) -> int | None:
    if not pairs:
        return None if coefficient == 1 else work.number(coefficient, dtype)
    if len(pairs) == 1 and pairs[0][1] == 1 and coefficient == 1:
        return pairs[0][0]
    return work.builder.emit(
        "mul",
        [a for a, _ in pairs],
        shape=(),
        dtype=dtype,
        weak=all(work.step(a).weak for a, _ in pairs),
        exponents=tuple(e for _, e in pairs),
        coefficient=coefficient,
    )


def _matmul(work: _Expansion, step: Step, args: list[int]) -> int:
    left, right = args
    a, b = work.step(left), work.step(right)
    if len(a.shape) <= 2 and len(b.shape) <= 2:
        return work.call("dot", args, step.shape, step.dtype)
    if len(b.shape) == 2 and a.action not in VIEWS:
        return views.reshape(work.builder, _merged_rows(work, left, right), step.shape)
    if len(a.shape) > 1 and len(b.shape) > 1:
        return work.call("matmul", args, step.shape, step.dtype)
    return work.same(step, args)


def _merged_rows(work: _Expansion, left: int, right: int) -> int:
    """One product for all leading axes of the left operand."""
    a, b = work.step(left), work.step(right)
    rows = shape_size(a.shape[:-1])
    flat = views.reshape(work.builder, left, (rows, a.shape[-1]))
    return work.call("dot", [flat, right], (rows, b.shape[1]), a.dtype)


def _tensordot(work: _Expansion, step: Step, args: list[int]) -> int:
    """On merged axes, a matrix product; those that are summed stand first on both sides or last."""
    (first, second), builder = step.detail("axes"), work.builder
    flat = []
    for register, axes, summed_last in ((args[0], first, True), (args[1], second, False)):
        shape = work.step(register).shape
        free = tuple(axis for axis in range(len(shape)) if axis not in axes)
        summed = shape_size(shape[axis] for axis in axes)
        rest = shape_size(shape[axis] for axis in free)
        if tuple(axes) == tuple(range(len(axes))):
            register = views.reshape(builder, register, (summed, rest))
            register = views.transpose(builder, register, (1, 0)) if summed_last else register
        else:
            order = (*free, *axes) if summed_last else (*axes, *free)
            register = views.transpose(builder, register, order)
            merged = (rest, summed) if summed_last else (summed, rest)
            register = views.reshape(builder, register, merged)
        flat.append(register)
    shape = (work.step(flat[0]).shape[0], work.step(flat[1]).shape[1])
    product = work.call("dot", flat, shape, step.dtype)
    return views.reshape(builder, product, step.shape)


def _vecdot(work: _Expansion, step: Step, args: list[int]) -> int:
    axis: int = step.detail("axis")
    details: dict[str, object] = {} if axis == -1 else {"axes": (axis,)}
    return work.call("vecdot", args, step.shape, step.dtype, **details)


def _sum(work: _Expansion, step: Step, args: list[int]) -> int:
    """Sums over all leading, or all trailing, axes are products with ones: BLAS adds faster."""
    source, axes = work.step(args[0]), tuple(step.detail("axes"))
    rank = len(source.shape)
    kept = tuple(s for axis, s in enumerate(source.shape) if axis not in axes)
    plain = source.dtype.startswith("float") and source.action not in VIEWS
    leading, trailing = axes == tuple(range(len(axes))), axes == tuple(range(len(kept), rank))
    if plain and len(kept) and (leading or (trailing and len(axes) == 1)):
        summed, rest = shape_size(source.shape[a] for a in axes), shape_size(kept)
        ones = _ones(work, summed, step.dtype)
        if leading:
            flat = views.reshape(work.builder, args[0], (summed, rest))
            total = work.call("dot", [ones, flat], (rest,), step.dtype, hint="total")
        else:
            flat = views.reshape(work.builder, args[0], (rest, summed))
            total = work.call("dot", [flat, ones], (rest,), step.dtype, hint="total")
        return views.reshape(work.builder, total, step.shape)
    keep: dict[str, object] = {"keepdims": True} if dict(step.details).get("keepdims") else {}
    return work.call("sum", args, step.shape, step.dtype, axes=axes, **keep)


def _ones(work: _Expansion, n: Size, dtype: str) -> int:
    one = work.number(1.0, dtype)
    return work.builder.emit("full", [one], shape=(n,), dtype=dtype)


def _where(work: _Expansion, step: Step, args: list[int]) -> int:
    """Zeros but where the mask is true: a product, where that says the same."""
    mask, x, other = (work.step(a) for a in args)
    zero = other.action == "number" and float(other.detail("literal")) == 0
    if not zero or not x.shape or x.dtype != step.dtype or mask.dtype != "bool":
        return work.same(step, args)
    return work.call("_masked", [args[1], args[0]], step.shape, step.dtype, elementwise=True)


def _outer(work: _Expansion, step: Step, args: list[int]) -> int:
    """Broadcast: np.outer makes vectors of what it is given, and of what it gives back."""
    column = views.index(work.builder, args[0], [views.KEEP, views.NEW])
    return work.ufunc("multiply", [column, args[1]], step.dtype)


RULES: dict[str, Rule] = {
    **dict.fromkeys(UNARY | BINARY, _unary),
    **dict.fromkeys(COMPARISONS, _compare),
    **dict.fromkeys((*HELPERS, "logsumexp"), _helper),
    "take": _take,
    "sigmoid": _sigmoid,
    "relu": _relu,
    "add": _add,
    "mul": _mul,
    "matmul": _matmul,
    "tensordot": _tensordot,
    "vecdot": _vecdot,
    "sum": _sum,
    "outer": _outer,
    "where": _where,
    "columns": windows.columns_call,
    "pooled": windows.pooled_call,
    "overlap_add": windows.overlap_add_call,
}
