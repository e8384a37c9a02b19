"""How windows and their sums are spelled; part of :mod:`codegen.numpy_table`.

Strides and dilations are steps of slices: of all windows every stride-th is taken, and of each
every dilation-th element, which moves no data.
"""

from __future__ import annotations

from collections.abc import Sequence

from codegen.expression import Level, Text, count
from codegen.program import Step
from codegen.style import Style
from symdiff.expr.shapes import Size, size_add, size_mul, size_sub


def window(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    """A view of all windows."""
    axes, sizes, strides, dilations = (value for _, value in step.details)
    spans = [
        size_add(size_mul(dilation, size_sub(size, 1)), 1)
        for size, dilation in zip(sizes, dilations, strict=True)
    ]
    rank = len(sources[0].shape)
    where = str(axes[0] if len(axes) == 1 else tuple(axes))
    code = style.helper(
        "sliding_window_view", args[0].code, style.shape(tuple(spans)), f"axis={where}"
    )
    steps = [1] * rank + list(dilations)
    for axis, stride in zip(axes, strides, strict=True):
        steps[axis] = stride
    return Text(code + _every(steps), Level.ATOM, 1 + count(args))


def _every(steps: Sequence[int]) -> str:
    """``[:, ::2]``; nothing where every step is 1."""
    items = [":" if n == 1 else f"::{n}" for n in steps]
    strided = [i for i, n in enumerate(steps) if n != 1]
    if not strided:
        return ""
    if strided[0] > 1 and strided[-1] == len(steps) - 1:
        return f"[..., {', '.join(items[strided[0] :])}]"
    return f"[{', '.join(items[: strided[-1] + 1])}]"


def overlap_add(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    """A call of the helper function; strides and dilations of 1 go without saying."""
    axes, lengths, strides, dilations = (value for _, value in step.details)
    more = [str(axes), _tuple(style, lengths)]
    more += [f"strides={strides}"] if set(strides) != {1} else []
    more += [f"dilations={dilations}"] if set(dilations) != {1} else []
    return Text(style.helper("_overlap_add", args[0].code, *more), Level.ATOM, 1 + count(args))


def _tuple(style: Style, sizes: Sequence[Size]) -> str:
    return style.shape(tuple(sizes)) if len(sizes) > 1 else f"({style.size(sizes[0]).code},)"
