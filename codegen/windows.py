"""How windows and their sums are spelled; part of :mod:`codegen.numpy_table`.

Strides and dilations are steps of slices: of all windows every stride-th is taken, and of each
every dilation-th element, which moves no data.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from codegen import views
from codegen.builder import Builder
from codegen.expression import Level, Text, count
from codegen.program import Step
from codegen.style import Style
from symdiff.expr.shapes import Shape, Size, size_add, size_mul, size_sub

Keywords: TypeAlias = "tuple[tuple[str, tuple[Size, ...]], ...]"


class Expansion(Protocol):
    """What rules of :mod:`codegen.operations` are given to make calls with."""

    builder: Builder

    def call(
        self, function: str, args: Sequence[int], shape: Shape, dtype: str, **details: object
    ) -> int:
        """One call of a function."""

    def ufunc(self, function: str, args: Sequence[int], dtype: str) -> int:
        """A function of elements."""


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
    """A call of the helper function."""
    words = keyword_words(style, _overlap_keywords(step))
    return Text(style.helper("_overlap_add", args[0].code, *words), Level.ATOM, 1 + count(args))


def pooled(style: Style, step: Step, args: Sequence[Text], sources: Sequence[Step]) -> Text:
    """A call of the helper function that reduces windows place by place."""
    axes = f"axes={step.detail('axes')}"
    code = style.helper(step.detail("function"), args[0].code, axes)
    return Text(code, Level.ATOM, 1 + count(args))


def _overlap_keywords(step: Step) -> Keywords:
    """Strides and dilations of 1 go without saying."""
    axes, lengths, strides, dilations = (value for _, value in step.details)
    more = [("strides", strides), ("dilations", dilations)]
    return (
        ("axes", axes),
        ("lengths", lengths),
        *((name, values) for name, values in more if set(values) != {1}),
    )


def keyword_words(style: Style, keywords: Keywords) -> list[str]:
    """``axes=(2, 3)``: arguments that are tuples of sizes."""
    words = []
    for name, values in keywords:
        inner = ", ".join(style.size(size).code for size in values)
        words.append(f"{name}=({inner}{',' * (len(values) == 1)})")
    return words


# As calls that take ``out=`` (see codegen.operations).


def columns_call(work: Expansion, step: Step, args: list[int]) -> int:
    """Windows copied as they are, then seen as a matrix: a buffer is contiguous."""
    copied = work.ufunc("positive", args, step.dtype)
    return views.reshape(work.builder, copied, step.shape)


def pooled_call(work: Expansion, step: Step, args: list[int]) -> int:
    """See pooled."""
    keywords = (("axes", step.detail("axes")),)
    function = step.detail("function")
    return work.call(function, args, step.shape, step.dtype, keywords=keywords)


def overlap_add_call(work: Expansion, step: Step, args: list[int]) -> int:
    """See overlap_add."""
    keywords = _overlap_keywords(step)
    return work.call("_overlap_add", args, step.shape, step.dtype, keywords=keywords)
