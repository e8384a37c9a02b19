"""Sums and products as a person writes them.

Sums have their positive terms first (``q - p``, ``1 - h**2``), products their numbers first, so
that arrays are scaled once (``2 / batch * x``, but ``x / batch``), and negative exponents go below
the line.  Order within that is the order of computation, never that of the graph's digests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codegen.expression import Level, Text, count
from codegen.program import Step
from codegen.style import Style
from symdiff.expr.shapes import shape_size


@dataclass(frozen=True, slots=True)
class Part:
    """A term or factor: its register, text, rank, and its coefficient or exponent.

    A mask holds truth values, and is written after what it masks.
    """

    register: int
    text: Text
    ndim: int
    weight: float
    weak: bool
    is_mask: bool
    action: str = ""


def sum_text(style: Style, step: Step, parts: Sequence[Part]) -> Text:
    """constant + sum of weight * term."""
    constant: float = step.detail("constant")
    ordered = sorted(parts, key=lambda part: (-part.ndim, part.register))
    pieces: list[tuple[bool, str]] = []  # whether it is subtracted, and what
    if constant > 0:
        pieces.append((False, style.number(constant, step.dtype).at(Level.SUM)))
    for sign in (1, -1):
        pieces += [
            (sign < 0, _scaled(style, step, part))
            for part in ordered
            if (part.weight < 0) == (sign < 0)
        ]
    if constant < 0 or constant != constant:
        size = abs(constant)
        pieces.append((constant < 0, style.number(size, step.dtype).at(Level.SUM)))
    negative, code = pieces[0]
    if negative:
        code = f"-{code}"
    for negative, piece in pieces[1:]:
        code += f" {'-' if negative else '+'} {piece}"
    operations = len(pieces) - 1 + sum(part.text.operations for part in parts)
    return Text(code, Level.SUM, operations)


def _scaled(style: Style, step: Step, part: Part) -> str:
    size = abs(part.weight)
    if size == 1:
        # A matrix product binds tighter than + and -, but not than the minus sign before it.
        return part.text.at(Level.PRODUCT if part.weight < 0 else Level.MATMUL)
    whole = round(1 / size) if size else 0
    sizes = {*step.shape, shape_size(step.shape)}
    if part.action == "sum" and whole > 2 and whole in sizes and size == 1 / whole:
        return f"{part.text.at(Level.PRODUCT)} / {whole}"  # a mean beside its terms, rounded once
    return f"{style.number(size, step.dtype).code} * {part.text.at(Level.UNARY)}"


def needs_name(part_ndim: int, exponent: float) -> bool:
    """Whether a factor is written more than once, so that it must have a name."""
    return part_ndim > 0 and abs(exponent) in (1.5, 3.0, 4.0)


def _power(style: Style, part: Part, dtype: str) -> Text:
    """base**|exponent|; power() is slow on arrays but for squares, so small ones are products."""
    base, e = part.text, abs(part.weight)
    operations = count([base])
    if e == 1:
        return base
    if part.weak:
        return Text(
            f"{base.at(Level.ATOM)}**{style.number(e, dtype).code}", Level.POWER, operations
        )
    root = style.call("sqrt", base.code)
    if e == 0.5:
        return Text(root, Level.ATOM, operations)
    if needs_name(part.ndim, e):
        name = base.code
        code = {
            1.5: f"{name} * {root}",
            3.0: f"{name} * {name} * {name}",
            4.0: f"({name} * {name})**2",
        }[e]
        return Text(code, Level.POWER if e == 4 else Level.PRODUCT, operations)
    exponent = style.number(e, "int64" if e == int(e) else dtype)
    return Text(f"{base.at(Level.ATOM)}**{exponent.code}", Level.POWER, operations)


def product_text(style: Style, step: Step, parts: Sequence[Part]) -> Text:
    """coefficient * product of factor**weight.

    Masks stand behind the floats even where they are single truth values: NumPy has no -mask, and
    a number times one would be float64.
    """
    coefficient: float = step.detail("coefficient")
    ordered = sorted(parts, key=lambda p: (p.is_mask, -p.ndim, not p.weak, p.register))
    # What was made so as not to overflow is divided by twice: its square may overflow.
    doubled = [p for p in ordered if p.action in ("hypot", "hypot_reduce") and p.weight == -2]
    ordered = [part for part in ordered if part not in doubled]
    twice = [f" / {part.text.at(Level.UNARY)}" * 2 for part in doubled]
    groups: dict[tuple[bool, bool], list[Text]] = {
        (is_array, above): [
            _power(style, part, step.dtype)
            for part in ordered
            if (part.ndim > 0 or part.is_mask) == is_array and (part.weight > 0) == above
        ]
        for is_array in (False, True)
        for above in (True, False)
    }
    sign, size = ("-" if coefficient < 0 else ""), abs(coefficient)
    scalars = [style.number(size, step.dtype)] if size != 1 else []
    scalars += groups[False, True]
    arrays = groups[True, True]
    code = _chain(scalars or arrays) or "1"
    code += _below(groups[False, False])
    if scalars:
        code += "".join(f" * {text.at(Level.UNARY)}" for text in arrays)
    code += _below(groups[True, False]) + "".join(twice)
    texts = [text for group in groups.values() for text in group]
    texts += [part.text for part in doubled for _ in range(2)]
    operations = len(texts) - (size == 1) + sum(text.operations for text in texts)
    alone = len(texts) == 1 and coefficient == 1 and step.detail("exponents")[0] > 0
    return Text(sign + code, texts[0].level if alone else Level.PRODUCT, operations)


def _chain(texts: Sequence[Text]) -> str:
    return " * ".join(
        text.at(Level.UNARY if position else Level.PRODUCT) for position, text in enumerate(texts)
    )


def _below(texts: Sequence[Text]) -> str:
    if not texts:
        return ""
    product = " * ".join(text.at(Level.UNARY) for text in texts)
    return f" / {product}" if len(texts) == 1 else f" / ({product})"
