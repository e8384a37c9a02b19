"""How each action is spelled in NumPy: the only table that does so.

One printer an action: it is given the style, the step and the texts of its arguments, and returns
the expression.  Method calls are preferred where NumPy has both (``x.sum(axis=0)``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from codegen import windows
from codegen.elementwise import Part, product_text, sum_text
from codegen.expression import Level, Text, count
from codegen.program import Step
from codegen.style import Style
from codegen.views import DROP, KEEP, NEW
from symdiff.expr.shapes import Size

Printer = Callable[[Style, Step, Sequence[Text], Sequence[Step]], Text]


def print_step(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    """The expression for a step, given the texts and the steps of its arguments."""
    return PRINTERS[step.action](style, step, args, sources)


def _call(function: str) -> Printer:
    """A NumPy function of the arguments, in order."""

    def show(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
        return Text(style.call(function, *(arg.code for arg in args)), Level.ATOM, count(args))

    return show


def _helper(function: str) -> Printer:
    """A helper function of the module of the arguments, in order."""

    def show(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
        return Text(style.helper(function, *(arg.code for arg in args)), Level.ATOM, count(args))

    return show


def _infix(operator: str, level: Level) -> Printer:
    def show(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
        left, right = (arg.at(Level(level + 1)) for arg in args)
        return Text(f"{left} {operator} {right}", level, count(args))

    return show


def _method(function: str, detail: str) -> Printer:
    """A reduction as a method, its axes left out where all are meant."""

    def show(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
        axes = step.detail(detail)
        everything = len(axes) == len(sources[0].shape)
        where = "" if everything else f"axis={axes_text(axes, len(sources[0].shape))}"
        if dict(step.details).get("keepdims"):
            where += ", keepdims=True" if where else "keepdims=True"
        return Text(f"{args[0].at(Level.ATOM)}.{function}({where})", Level.ATOM, count(args))

    return show


def _along(function: str) -> Printer:
    """A composite over axes, which is a helper function of the module."""

    def show(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
        axes = axes_text(step.detail("axes"), len(sources[0].shape))
        return Text(style.helper(function, args[0].code, f"axis={axes}"), Level.ATOM, count(args))

    return show


def axes_text(axes: Sequence[int], rank: int) -> str:
    """One axis as a number, the last one as -1; several as a tuple."""
    if len(axes) == 1:
        return "-1" if axes[0] == rank - 1 and rank > 1 else str(axes[0])
    return repr(tuple(axes))


def _parts(step: Step, args: Sequence[Text], sources: Sequence[Step], weights: str) -> list[Part]:
    return [
        Part(
            source.dest,
            arg,
            len(source.shape),
            weight,
            source.weak,
            source.dtype == "bool",
            source.action,
        )
        for source, arg, weight in zip(sources, args, step.detail(weights), strict=True)
    ]


def _add(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    return sum_text(style, step, _parts(step, args, sources, "coefficients"))


def _mul(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    return product_text(style, step, _parts(step, args, sources, "exponents"))


def _number(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    literal: str = step.detail("literal")
    return style.number(int(literal) if step.dtype == "int64" else float(literal), step.dtype)


def _size(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    return style.size(step.detail("size"))


def _constant(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    return Text(style.constant(step.detail("node")))


def _arange(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    return Text(style.call("arange", style.size(step.detail("n")).code), operations=1)


def _eye(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    n, dtype = style.size(step.detail("n")).code, style.dtype_code(step.dtype)
    return Text(style.call("eye", n, f"dtype={dtype}"), operations=1)


def _strong(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    return Text(style.scalar_code(step.dtype, args[0].code), operations=count(args))


def _cast(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    code = f"{args[0].at(Level.ATOM)}.astype({style.dtype_code(step.dtype)})"
    return Text(code, Level.ATOM, count(args))


def _copy(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    return Text(f"{args[0].at(Level.ATOM)}.copy()", Level.ATOM, count(args))


def _relu(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    return Text(style.call("maximum", args[0].code, "0"), Level.ATOM, count(args))


def _hypot_reduce(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    rank, axes = len(sources[0].shape), step.detail("axes")
    where = axes_text(axes, rank) if len(axes) < rank or rank == 1 else "None"
    code = style.call("hypot.reduce", args[0].code, f"axis={where}", "initial=0")
    return Text(code, Level.ATOM, count(args))


def _logaddexp(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    return Text(style.call("logaddexp", "0", args[0].code), Level.ATOM, count(args))


def _matmul(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    left, right = args
    first = left.code if left.level == Level.MATMUL else left.at(Level.UNARY)
    return Text(f"{first} @ {right.at(Level.POWER)}", Level.MATMUL, count(args))


def _tensordot(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    first, second = (list(axes) for axes in step.detail("axes"))
    code = style.call("tensordot", args[0].code, args[1].code, f"axes=({first}, {second})")
    return Text(code, Level.ATOM, count(args))


def _vecdot(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    axis = step.detail("axis")
    where = [] if axis == -1 else [f"axis={axis}"]
    return Text(style.call("vecdot", *(a.code for a in args), *where), Level.ATOM, count(args))


def _diagonal(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    letters = "ijklmnopqrstuvwxyzabcdefgh"
    source, target = (
        "".join(letters[i] for i in step.detail(name)) for name in ("source", "target")
    )
    code = style.call("einsum", f'"{source}->{target}"', args[0].code)
    return Text(code, Level.ATOM, count(args))


def _transpose(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    order: tuple[int, ...] = step.detail("order")
    rank = len(order)
    array = args[0].at(Level.ATOM)
    if order == tuple(reversed(range(rank))):
        code = f"{array}.T"
    elif order == (*range(rank - 2), rank - 1, rank - 2):
        code = f"{array}.swapaxes(-1, -2)"
    else:
        code = f"{array}.transpose({', '.join(map(str, order))})"
    return Text(code, Level.ATOM, args[0].operations)


def _index(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    words = {KEEP: ":", NEW: "None", DROP: "0"}
    items = [words[item] for item in step.detail("items")]
    if len(items) > 2 and set(items[:-1]) == {":"}:
        items[:-1] = ["..."]
    while items[-1] == ":":
        items.pop()
    return Text(f"{args[0].at(Level.ATOM)}[{', '.join(items)}]", Level.ATOM, args[0].operations)


def _reshape(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    shape = ", ".join(style.size(size).code for size in step.shape) or "()"
    return Text(f"{args[0].at(Level.ATOM)}.reshape({shape})", Level.ATOM, args[0].operations)


def _broadcast(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    code = style.call("broadcast_to", args[0].code, _shape(style, step))
    return Text(code, Level.ATOM, count(args))


def _full(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    shape, dtype = _shape(style, step), style.dtype_code(step.dtype)
    special = {"0": "zeros", "1": "ones"}.get(args[0].code)
    if special and sources[0].weak:
        return Text(style.call(special, shape, f"dtype={dtype}"), Level.ATOM, 1)
    code = style.call("full", shape, args[0].code, f"dtype={dtype}")
    return Text(code, Level.ATOM, count(args))


def _shape(style: Style, step: Step) -> str:
    return style.shape(step.shape)


def _slice(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    items = [_range(style, *item) for item in step.detail("ranges")]
    while len(items) > 1 and items[-1] == ":":
        items.pop()
    return Text(f"{args[0].at(Level.ATOM)}[{', '.join(items)}]", Level.ATOM, args[0].operations)


def _range(style: Style, start: Size, stop: Size | None, step: int, dropped: bool) -> str:
    first = style.size(start).code
    if dropped:
        return first
    last = "" if stop is None else style.size(stop).code
    return ("" if start == 0 else first) + f":{last}" + (f":{step}" if step != 1 else "")


def _flip(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    axes = axes_text(step.detail("axes"), len(step.shape))
    return Text(style.call("flip", args[0].code, f"axis={axes}"), Level.ATOM, count(args))


def _cumsum(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    axis = f"axis={axes_text((step.detail('axis'),), len(step.shape))}"
    if not step.detail("reverse"):
        code = f"{args[0].at(Level.ATOM)}.cumsum({axis})"
        return Text(code, Level.ATOM, count(args))
    code = style.call("flip", f"{style.call('flip', args[0].code, axis)}.cumsum({axis})", axis)
    return Text(code, Level.ATOM, 2 + count(args))


def _pad(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    padding = step.detail("padding")
    wide = any(interior for _, _, interior in padding)
    items = [
        f"({style.size(before).code}, {style.size(after).code}"
        + (f", {interior})" if wide else ")")
        for before, after, interior in padding
    ]
    widths = f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    if wide:
        return Text(style.helper("_spread", args[0].code, widths), Level.ATOM, count(args))
    filled = dict(step.details).get("value", 0.0)
    more = [f"constant_values={style.number(filled, step.dtype).code}"] if filled else []
    return Text(style.call("pad", args[0].code, widths, *more), Level.ATOM, count(args))


def _concatenate(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    parts = f"[{', '.join(arg.code for arg in args)}]"
    axis = axes_text((step.detail("axis"),), len(step.shape))
    return Text(style.call("concatenate", parts, f"axis={axis}"), Level.ATOM, count(args))


def _take(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    x, idx = args
    batch, rank = step.detail("batch"), len(sources[1].shape)
    if batch == 0:
        code = f"{x.at(Level.ATOM)}[{idx.code}]"
    elif batch == rank == 1:
        rows = style.call("arange", style.size(sources[1].shape[0]).code)
        code = f"{x.at(Level.ATOM)}[{rows}, {idx.code}]"
    else:
        code = style.helper("_take", x.code, idx.code, str(batch))
    return Text(code, Level.ATOM, count(args))


def _scatter_add(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    g, idx = (arg.code for arg in args)
    n = style.size(step.detail("n")).code
    batch = [str(step.detail("batch"))] if step.detail("batch") else []
    return Text(style.helper("_scatter_add", g, idx, n, *batch), Level.ATOM, count(args))


def _one_hot(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    n, dtype = style.size(step.detail("n")).code, style.dtype_code(step.dtype)
    return Text(style.helper("_one_hot", args[0].code, n, dtype), Level.ATOM, count(args))


def _power(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    base, exponent = args
    code = f"{base.at(Level.ATOM)}**{exponent.at(Level.ATOM)}"
    return Text(code, Level.POWER, count(args))


def _plain_call(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    """A single call without its destination, which is the writer's to add."""
    function: str = step.detail("function")
    call = style.helper if function.startswith("_") else style.call
    return Text(call(function, *(arg.code for arg in args)), Level.ATOM, count(args))


def _asked(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    """What the caller's function says, looked at: a dict of arrays."""
    pairs = zip(step.detail("names"), args, strict=True)
    table = "{" + ", ".join(f'"{name}": {arg.code}' for name, arg in pairs) + "}"
    code = style.helper("_ask", style.names.own("weight"), table)
    return Text(code, Level.ATOM, count(args))


def _entry(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    return Text(f'{args[0].at(Level.ATOM)}["{step.detail("name")}"]')


PRINTERS: dict[str, Printer] = {
    "asked": _asked,
    "entry": _entry,
    "call": _plain_call,
    "number": _number,
    "size": _size,
    "constant": _constant,
    "arange": _arange,
    "eye": _eye,
    "strong": _strong,
    "cast": _cast,
    "copy": _copy,
    "add": _add,
    "mul": _mul,
    "pow": _power,
    "relu": _relu,
    "erf": _helper("erf"),
    "erfc": _helper("erfc"),
    "log_erfc": _helper("_log_erfc"),
    "erfc_hazard": _helper("_erfc_hazard"),
    "log1mexp": _helper("_log1mexp"),
    "sigmoid": _helper("_sigmoid"),
    "sigmoid_slope": _helper("_sigmoid_slope"),
    "softplus": _helper("_softplus"),
    "softplus_brief": _logaddexp,
    "hypot_reduce": _hypot_reduce,
    "divide_or_zero": _helper("_divide_or_zero"),
    "finite_peak": _along("_peak"),
    "reciprocal_or_zero": _helper("_reciprocal_or_zero"),
    **{
        name: _call(name)
        for name in (
            *("exp", "expm1", "log", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh"),
            *(
                "arctan",
                "arcsinh",
                "arctanh",
                "arccosh",
                "arcsin",
                "abs",
                "sign",
                "hypot",
                "maximum",
                "minimum",
            ),
            *("where", "outer", "vdot", "clip"),
        )
    },
    "lt": _infix("<", Level.COMPARE),
    "le": _infix("<=", Level.COMPARE),
    "gt": _infix(">", Level.COMPARE),
    "ge": _infix(">=", Level.COMPARE),
    "eq": _infix("==", Level.COMPARE),
    "ne": _infix("!=", Level.COMPARE),
    "matmul": _matmul,
    "tensordot": _tensordot,
    "vecdot": _vecdot,
    "diagonal": _diagonal,
    "sum": _method("sum", "axes"),
    "mean": _method("mean", "axes"),
    "max": _method("max", "axes"),
    "prod": _method("prod", "axes"),
    "cumsum": _cumsum,
    "softmax": _along("_softmax"),
    "log_softmax": _along("_log_softmax"),
    "logsumexp": _along("_logsumexp"),
    "transpose": _transpose,
    "index": _index,
    "reshape": _reshape,
    "broadcast": _broadcast,
    "full": _full,
    "slice": _slice,
    "flip": _flip,
    "pad": _pad,
    "concatenate": _concatenate,
    "window": windows.window,
    "columns": _reshape,
    "overlap_add": windows.overlap_add,
    "pooled": windows.pooled,
    "take": _take,
    "scatter_add": _scatter_add,
    "one_hot": _one_hot,
}
