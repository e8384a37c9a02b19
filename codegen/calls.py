"""Single calls as lines: where each puts its result, and which variable that goes by.

What is written over keeps its variable where that has no name of its own, so that a layer reads as
``z1 = np.dot(x, W1, out=b[0])``, ``z1 += b1``, ``h1 = np.tanh(z1, out=z1)``.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from codegen.buffers import BufferPlan, Form
from codegen.expression import Level, Text
from codegen.lines import INDENT, WIDTH
from codegen.memory import last_lines
from codegen.names import HINTS
from codegen.numpy_table import axes_text
from codegen.program import Program, Step
from codegen.style import Style
from codegen.windows import keyword_words

#: Calls with an operator of their own where they write over their first argument.
OPERATORS = {"add": "+=", "subtract": "-=", "multiply": "*=", "divide": "/="}
METHODS = frozenset({"dot", "sum"})
COMMUTATIVE = frozenset({"add", "multiply", "maximum", "minimum"})

#: What a value is called for want of a better name, by the call that makes it.
CALL_HINTS = {
    **dict.fromkeys(("dot", "matmul", "outer"), "product"),
    "vecdot": "dot",
    "sum": "total",
    "concatenate": "joined",
    "positive": "windows",
    **dict.fromkeys(("_pooled_max", "_pooled_sum"), "pooled"),
    "_overlap_add": "overlapped",
    "_softmax_into": "soft",
    "_less_one_hot": "",
    "_log_softmax_into": "log_soft",
    **dict.fromkeys(("less", "less_equal", "greater", "greater_equal", "equal"), "mask"),
    **dict.fromkeys(("exp", "log", "tanh"), ""),
}


def hint(step: Step) -> str:
    """What a value without a name is called."""
    if step.is_constant:
        return str(step.detail("constant"))
    if step.action == "call":
        return dict(step.details).get("hint") or CALL_HINTS.get(step.detail("function"), "")
    return HINTS.get(step.action, "")


def leaders(
    program: Program, plan: BufferPlan, inlined: Collection[int], given: Collection[int]
) -> dict[int, int]:
    """For values whose variable may be that of a later value in the same memory: that value."""
    last = last_lines(program, inlined)
    following: dict[int, int] = {}
    for step in program.steps:
        register = step.dest
        if register in plan.over:
            following[plan.over[register]] = register
        elif step.action == "reshape" and register in plan.buffer:
            if last[step.args[0]] == register:
                following[step.args[0]] = register
    # A value that is made again goes by its old name, which its old value has until it is gone.
    free: dict[int, int] = {}
    gone: dict[int, int] = {}
    for register, old in program.again.items():
        free[register] = gone[old] = max(gone.get(old, -1), last[old])
        gone[old] = max(gone[old], last[register])
    leader: dict[int, int] = {}
    for step in reversed(program.steps):
        register = step.dest
        after = following.get(register)
        if after is not None and register not in given:
            head = leader.get(after, after)
            if register > free.get(head, -1):
                leader[register] = head
    return leader


@dataclass(frozen=True, slots=True)
class Place:
    """Where buffers are: the variable that holds them all, and the number of a plan's first.

    ``kept`` are the places of values that are wanted elsewhere, as text; ``views`` is the variable
    that holds beginnings of buffers.
    """

    variable: str
    first: int
    plan: BufferPlan
    kept: Mapping[int, str]
    views: str = ""

    def code(self, register: int) -> str:
        """Where a register's value is computed; nothing where NumPy finds memory for it."""
        if register in self.plan.view:
            return f"{self.views}[{self.plan.view[register]}]"
        if register in self.plan.buffer:
            return f"{self.variable}[{self.first + self.plan.buffer[register]}]"
        return self.kept.get(register, "")


def call_line(
    style: Style,
    step: Step,
    sources: Sequence[Step],
    args: Sequence[Text],
    name: str,
    place: Place,
) -> str:
    """The line of a call, given the steps and the texts of its arguments."""
    details = dict(step.details)
    function: str = details["function"]
    args = list(args)
    if details.get("elementwise") and not function.startswith("_"):
        args = _with_numbers_in_arrays(style, step, sources, args)
    if function == "divide" and sources[1].weak:
        # Twice as fast, and as right but for the last bit.
        function, args[1] = "multiply", Text(f"1 / {args[1].at(Level.UNARY)}", Level.PRODUCT)
    over = place.plan.over.get(step.dest)
    target = place.code(step.dest)
    if over is not None:
        position = step.args.index(over)
        target = args[position].code
        if position and function in COMMUTATIVE and len(args) == 2:
            args.reverse()
            position = 0
        if position == 0 and target == name and function in OPERATORS:
            return f"{name} {OPERATORS[function]} {args[1].code}"
    # Methods of arrays are called in half the time that NumPy's functions take.
    method = f"{args[0].at(Level.ATOM)}.{function}" if function in METHODS else ""
    words = [arg.code for arg in (args[1:] if method else args)]
    if function == "concatenate":
        words = [f"({', '.join(words)})"]
    axes = details.get("axes")
    if axes is not None:
        words.append(f"axis={axes_text(axes, len(sources[0].shape))}")
    if details.get("keepdims"):
        words.append("keepdims=True")
    words += keyword_words(style, details.get("keywords", ()))
    words += [f"out={target}"] if target else []
    if method:
        code = f"{method}({', '.join(words)})"
    else:
        code = (style.helper if function.startswith("_") else style.call)(function, *words)
    return code if target == name else f"{name} = {code}"


def _with_numbers_in_arrays(
    style: Style, step: Step, sources: Sequence[Step], args: Sequence[Text]
) -> list[Text]:
    """The arguments of a call an element at a time, where that is all of the module's dtype.

    Python's numbers take the dtype of what they meet, and an array of the module's dtype that of
    float64 arrays, in which a module checks itself.
    """
    kinds = {source.dtype for source in sources if not source.weak}
    if style.dtype not in kinds or not kinds <= {style.dtype, "bool"}:
        return list(args)
    found = []
    for source, text in zip(sources, args, strict=True):
        is_number = source.action == "number" and source.dtype == style.dtype
        array = style.number_in_array(source.detail("literal")) if is_number else None
        found.append(array or text)
    return found


def view_lines(style: Style, plan: BufferPlan, buffers: str, views: str) -> list[str]:
    """``b_in = [_beginning(b[3], (batch, 10)), ...]``: buffers in which other shapes stand too."""
    if not plan.views:
        return []
    items = []
    for buffer, form in plan.views:
        sizes = ", ".join(style.size(size).code for size in form.shape)
        comma = "," if len(form.shape) == 1 else ""
        items.append(style.helper("_beginning", f"{buffers}[{buffer}]", f"({sizes}{comma})"))
    return [f"{views} = [", *(f"{INDENT}{item}," for item in items), "]"]


def buffer_lines(style: Style, forms: Sequence[Form], buffers: str, function: str) -> list[str]:
    """``b = _buffers(work, "backward", (3, dtype, (batch, 64)), ...)``."""
    if not forms:
        return []
    items = []
    for form, same in groupby(forms):
        sizes = ", ".join(style.size(size).code for size in form.shape)
        comma = "," if len(form.shape) == 1 else ""
        number = f", {form.number}" if form.number else ""
        count, dtype = len([*same]), style.dtype_code(form.dtype)
        items.append(f"({count}, {dtype}, ({sizes}{comma}){number})")
    arguments = [style.names.own("work"), '"' + function + '"', *items]
    line = f"{buffers} = {style.helper('_buffers', *arguments)}"
    if len(line) <= WIDTH - len(INDENT):
        return [line]
    head = line[: line.index("(") + 1]
    # An item stays together where a line holds it.
    wide = WIDTH - 2 * len(INDENT)
    glued = [item.replace(" ", "~") if len(item) < wide else item for item in arguments]
    rows = textwrap.wrap(", ".join(glued), wide, break_long_words=False, break_on_hyphens=False)
    return [head, *(INDENT + row.replace("~", " ") for row in rows), ")"]
