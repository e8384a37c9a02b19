"""What a program costs: arithmetic, matrix products, memory traffic and memory, as polynomials.

Counted from the steps that are printed, whose sizes are symbolic, so that the figures are those of
the emitted text and not of some idea of it.  The convention: every element that a NumPy function
of one or two arrays makes counts one flop, be it a sum, a comparison or an exponential; reductions
count the elements that they read; an m×n by n×p product counts 2mnp.  Moving, copying and
selecting elements counts none, and Python numbers are free.  (Bench marks of the literature count
2mnp too; what an exponential costs hangs on the machine.)

Bytes moved are those of the arrays that each step reads and of the one that it writes, each once.
What is held in memory has a file of its own (:mod:`codegen.held`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from codegen.held import array_bytes, chosen, live_bytes, peak_bytes, switch
from codegen.program import COMPOUND, LEAVES, VIEWS, Program, Step
from codegen.writer import Written
from symdiff.expr.scalars import SCALARS
from symdiff.expr.shapes import (
    Shape,
    Size,
    broadcast_shapes,
    shape_size,
    size_add,
    size_mul,
    size_sub,
    size_value,
)

Counted: TypeAlias = Callable[[Step, Sequence[Step]], Size]
Measure: TypeAlias = Callable[[Program, Step], Size]


@dataclass(frozen=True, slots=True)
class ProgramCost:
    """What one run of a program costs; each figure is a polynomial in the symbolic sizes.

    ``product_flops`` are those of the matrix products among ``flops``.  Of ``peak_bytes`` and
    ``live_bytes`` the largest counts: which of them that is may hang on the sizes.  A name of
    ``switches`` in them is 1 where the first of its sizes is less than the second, and else 0.
    """

    flops: Size
    product_flops: Size
    products: Size
    bytes_moved: Size
    peak_bytes: tuple[Size, ...]
    live_bytes: tuple[Size, ...]
    switches: Mapping[str, tuple[Size, Size]]

    def number(self, sizes: Iterable[Size], at: Mapping[str, int]) -> int:
        """The largest of some figures at given sizes; KeyError names a missing one."""
        settings = {
            name: int(size_value(less, at) < size_value(more, at))
            for name, (less, more) in self.switches.items()
        }
        return max(size_value(size, {**at, **settings}) for size in sizes)


def program_cost(written: Written) -> ProgramCost:
    """The cost of a program as it is written."""
    return ProgramCost(
        flops=_over(written.program, flops),
        product_flops=_over(written.program, _product_flops),
        products=_over(written.program, _products),
        bytes_moved=_over(written.program, bytes_moved),
        peak_bytes=peak_bytes(written),
        live_bytes=live_bytes(written),
        switches={
            switch(step): (step.detail("less"), step.detail("more"))
            for step in written.program.walk()
            if step.action == "branch"
        },
    )


def _over(program: Program, measure: Measure) -> Size:
    """The sum of a measure over the steps, those of blocks as often as they run."""
    return total(_of_step(program, step, measure) for step in program.steps)


def _of_step(program: Program, step: Step, measure: Measure) -> Size:
    if step.action in COMPOUND:
        return COMPOUNDS[step.action](step, [_over(block, measure) for block in step.blocks])
    return measure(program, step)


def step_flops(program: Program, step: Step) -> Size:
    """The arithmetic of one step, with that of the blocks that it holds."""
    return _of_step(program, step, flops)


def _rounds(step: Step, blocks: Sequence[Size]) -> Size:
    return size_mul(step.detail("length"), blocks[0])


def _either(step: Step, blocks: Sequence[Size]) -> Size:
    return chosen(step, *blocks)


#: What a step with blocks costs, given what one run of each block does.
COMPOUNDS: dict[str, Callable[[Step, Sequence[Size]], Size]] = {"loop": _rounds, "branch": _either}


def total(sizes: Iterable[Size]) -> Size:
    """The sum of sizes, equal ones counted first: a program has few distinct ones."""
    result: Size = 0
    for size, count in Counter(sizes).items():
        result = size_add(result, size_mul(count, size))
    return result


def flops(program: Program, step: Step) -> Size:
    """The arithmetic of one step, by the convention above."""
    return FLOPS[step.action](step, [program.steps[arg] for arg in step.args])


def bytes_moved(program: Program, step: Step) -> Size:
    """What one step reads and writes; nothing where it is another way to look at an array."""
    if not step.allocates:
        return 0
    if step.action == "pick":  # written a round at a time
        return array_bytes(step)
    read = [program.steps[arg] for arg in dict.fromkeys(step.args)]
    if step.action == "take":  # only as much is read as is picked
        read[0] = step
    return total([array_bytes(step), *(array_bytes(x) for x in read if not x.weak)])


def _product_flops(program: Program, step: Step) -> Size:
    return flops(program, step) if _is_matrix_product(program, step) else 0


def _products(program: Program, step: Step) -> Size:
    return int(_is_matrix_product(program, step))


def _is_matrix_product(program: Program, step: Step) -> bool:
    """Whether both operands are matrices, or stacks of them."""
    matrices = all(len(program.steps[arg].shape) > 1 for arg in step.args)
    product = step.action in ("matmul", "tensordot")
    if step.action == "call":
        product = step.detail("function") in ("dot", "matmul")
    return product and matrices


def _nothing(step: Step, sources: Sequence[Step]) -> Size:
    return 0


def _each(number: int) -> Counted:
    """A number of passes over the result."""
    return lambda step, sources: 0 if step.weak else size_mul(number, step.size)


def _read(number: int, rows: int = 0) -> Counted:
    """A number of passes over the operand, and of passes over what a reduction leaves of it."""

    def count(step: Step, sources: Sequence[Step]) -> Size:
        (x,) = sources
        axes = dict(step.details).get("axes", ())
        left = shape_size(s for axis, s in enumerate(x.shape) if axis not in axes)
        return size_add(size_mul(number, x.size), size_mul(rows, left))

    return count


def _matmul(step: Step, sources: Sequence[Step]) -> Size:
    return size_mul(2, size_mul(step.size, sources[0].shape[-1]))


def _tensordot(step: Step, sources: Sequence[Step]) -> Size:
    summed = shape_size(sources[0].shape[axis] for axis in step.detail("axes")[0])
    return size_mul(2, size_mul(step.size, summed))


def _dot(step: Step, sources: Sequence[Step]) -> Size:
    return size_mul(2, sources[0].size)


def _chain(pieces: Sequence[tuple[Shape, bool]], more: Iterable[Size] = ()) -> Size:
    """Operands met from left to right, each making an array of the joint shape so far.

    Each is a shape, and whether it is an array (or a NumPy scalar) and no Python number.
    """
    (shape, strong), *rest = pieces
    counted = [*more]
    for own, is_strong in rest:
        shape, strong = broadcast_shapes(shape, own), strong or is_strong
        if strong:
            counted.append(shape_size(shape))
    return total(counted)


def _add(step: Step, sources: Sequence[Step]) -> Size:
    """Terms that have a factor are scaled first; a leading minus sign is a pass of its own."""
    weights: tuple[float, ...] = step.detail("coefficients")
    terms = sorted(
        zip(weights, sources, strict=True),
        key=lambda term: (term[0] < 0, -len(term[1].shape), term[1].dest),
    )
    constant = step.detail("constant")
    scaled = [x.size for c, x in terms if abs(c) != 1 and not x.weak]
    if terms[0][0] == -1 and not constant > 0 and not terms[0][1].weak:
        scaled.append(terms[0][1].size)
    pieces = [(x.shape, not x.weak) for _, x in terms]
    if constant:
        pieces.insert(0 if constant > 0 else len(pieces), ((), False))
    return _chain(pieces, scaled)


def _power(x: Step, e: float) -> Size:
    """x**|e| as it is printed: small powers as products, halves as roots."""
    passes = {1.0: 0, 1.5: 2, 3.0: 2, 4.0: 2}.get(abs(e), 1)
    return 0 if x.weak else size_mul(passes, x.size)


def _mul(step: Step, sources: Sequence[Step]) -> Size:
    """Numbers are multiplied first, then arrays above the line, then what is below it."""
    factors = list(zip(step.detail("exponents"), sources, strict=True))
    factors.sort(key=lambda factor: (factor[1].dtype == "bool", -len(factor[1].shape)))
    counted = [_power(x, e) for e, x in factors]
    single = [(e, x) for e, x in factors if not x.shape and x.dtype != "bool"]
    scalars = [(x.shape, not x.weak) for e, x in single if e > 0]
    below = [(x.shape, not x.weak) for e, x in single if e < 0]
    over = [(x.shape, True) for e, x in factors if (x.shape or x.dtype == "bool") and e > 0]
    under = [(x.shape, True) for e, x in factors if x.shape and e < 0]
    if abs(step.detail("coefficient")) != 1:
        scalars.insert(0, ((), False))
    if step.detail("coefficient") < 0 and not scalars:
        counted += [shape_size(shape) for shape, _ in over[:1]]
    if not scalars and not over:
        scalars = [((), False)]  # 1 / x
    for divisors in (below, under):
        if len(divisors) > 1:  # their product is made, and divided by
            counted.append(_chain(divisors))
            shape = broadcast_shapes(*(shape for shape, _ in divisors))
            divisors[:] = [(shape, any(strong for _, strong in divisors))]
    pieces = [*scalars, *below, *over] if scalars else [*over, *below]
    return _chain([*pieces, *under], counted)


def _pooled(step: Step, sources: Sequence[Step]) -> Size:
    return size_sub(sources[0].size, step.size)


def _added(step: Step, sources: Sequence[Step]) -> Size:
    return sources[0].size


def _call(step: Step, sources: Sequence[Step]) -> Size:
    return CALLS.get(step.detail("function"), _each(1))(step, sources)


def _picked(step: Step, sources: Sequence[Step]) -> Size:
    return sources[1].size


def _masked(step: Step, sources: Sequence[Step]) -> Size:
    return size_add(sources[0].size, step.size)


#: Calls that are no passes of one flop an element.
CALLS: dict[str, Counted] = {
    **dict.fromkeys(("dot", "matmul"), _matmul),
    "vecdot": _dot,
    "sum": _read(1),
    **dict.fromkeys(("positive", "concatenate"), _nothing),
    **dict.fromkeys(("_pooled_max", "_pooled_sum"), _pooled),
    "_overlap_add": _added,
    "_softplus_into": _each(6),
    "_softmax_into": _read(5),
    "_less_one_hot": _picked,
    "_masked": _masked,
    "_log_softmax_into": _read(5, rows=3),
}

FLOPS: dict[str, Counted] = {
    "call": _call,
    **dict.fromkeys((*LEAVES, *VIEWS, "strong", "cast", "copy", "arange", "eye", "full"), _nothing),
    **dict.fromkeys(("pick", "asked"), _nothing),
    **dict.fromkeys(("pad", "concatenate", "take", "columns"), _nothing),
    **dict.fromkeys(SCALARS, _each(1)),
    "pow": _each(1),
    "relu": _each(1),
    "outer": _each(1),
    "one_hot": _each(1),
    # The passes that the helper functions of codegen.support make.
    "sigmoid": _each(7),
    "sigmoid_slope": _each(6),
    "softplus": _each(6),
    "softplus_brief": _each(1),
    "log1mexp": _each(8),
    "log_erfc": _each(9),
    "erfc_hazard": _each(2),
    **dict.fromkeys(("reciprocal_or_zero", "divide_or_zero"), _each(2)),
    "hypot_reduce": _read(1),
    "finite_peak": _read(1, rows=1),
    "softmax": _read(5),
    "log_softmax": _read(5, rows=2),
    "logsumexp": _read(4, rows=3),
    **dict.fromkeys(("sum", "max", "prod", "cumsum"), _read(1)),
    "pooled": _pooled,
    "mean": _read(1, rows=1),
    "clip": _each(1),
    **dict.fromkeys(("scatter_add", "overlap_add"), _added),
    "add": _add,
    "mul": _mul,
    "matmul": _matmul,
    "tensordot": _tensordot,
    **dict.fromkeys(("vdot", "vecdot"), _dot),
}
