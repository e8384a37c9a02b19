"""``symdiff cost``: what each function of a model's module costs, and what was decided about it.

The figures are counted from the emitted program (:mod:`codegen.costs`), as polynomials in the
sizes that the spec leaves open, and as numbers where sizes are given.  Beside them stand the
planner's decisions (:mod:`symdiff.simplify.decisions`): which form each parameter's norm has, at
what price, and what the other would have cost.
"""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from codegen.costs import ProgramCost
from codegen.functions import FunctionBody
from codegen.module import cost_of
from symdiff.compiler import Compiled, compile_spec
from symdiff.errors import Fault, SpecError, did_you_mean, listing
from symdiff.expr.shapes import Size, as_expression, size_names, size_value
from symdiff.simplify.decisions import Decision

CONVENTION = (
    "Counted from the emitted program.  A product of matrices m by n and n by p is 2mnp flops; in "
    "everything else each element that a NumPy function makes is 1, exp like +, and a sum counts "
    "what it reads; moving elements is 0.  Bytes moved: what each step reads and writes, once.  "
    "Peak bytes: arrays that a call makes, as it holds them until it returns; live bytes: if each "
    "went as soon as nothing reads it."
)

#: What is shown of each function, and what the figure is called.
FIGURES = {
    "flops": "flops",
    "product_flops": "  of which in products",
    "products": "matrix products",
    "bytes_moved": "bytes moved",
    "peak_bytes": "peak bytes",
    "live_bytes": "live bytes",
}
WIDTH = 100


@dataclass(frozen=True)
class Figure:
    """A polynomial in the sizes, or several of which the largest counts.

    A name of ``switches`` is 1 where the first of its sizes is less than the second, and else 0:
    whether a branch of the emitted function is taken.
    """

    sizes: tuple[Size, ...]
    switches: Mapping[str, tuple[Size, Size]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The formula as Python writes it."""
        parts = [self._text(size) for size in self.sizes]
        return parts[0] if len(parts) == 1 else f"max({', '.join(parts)})"

    def _text(self, size: Size) -> str:
        expression = as_expression(size)
        used = [as_expression(name) for name in sorted(size_names(size) & self.switches.keys())]
        return str(expression.collect(used)) if used else str(expression)

    @property
    def names(self) -> frozenset[str]:
        """The sizes that it hangs on."""
        used = {name for size in self.sizes for name in size_names(size)}
        sides = [side for name in used & self.switches.keys() for side in self.switches[name]]
        return frozenset(used - self.switches.keys()).union(*(size_names(s) for s in sides))

    def number(self, at: Mapping[str, int]) -> int | None:
        """The figure at given sizes; None where one is missing."""
        if self.names - at.keys():
            return None
        used = {name for size in self.sizes for name in size_names(size)} & self.switches.keys()
        values = {
            name: int(size_value(less, at) < size_value(more, at))
            for name, (less, more) in self.switches.items()
            if name in used
        }
        return max(size_value(size, {**at, **values}) for size in self.sizes)


@dataclass(frozen=True)
class Choice:
    """A decision as it is told: of which parameters' norms, and the prices of both ways."""

    parameters: tuple[str, ...]
    form: str
    expanded: Figure | None = None
    formed: Figure | None = None
    condition: str | None = None


@dataclass(frozen=True)
class ModelCost:
    """The costs of a compiled model's functions.

    ``at`` gives sizes numbers.  Raises SpecError where it names what is no open size.
    """

    compiled: Compiled
    at: Mapping[str, int]

    def __post_init__(self) -> None:
        known = self.compiled.model.free_sizes
        unknown = [name for name in self.at if name not in known]
        if unknown:
            there = f"the sizes read from the data are {listing(known, 'and')}" if known else (
                "all sizes are fixed by the spec"
            )  # fmt: skip
            hints = [f"--at: no open size {n!r}{did_you_mean(n, known)}; {there}" for n in unknown]
            source = self.compiled.model.source
            raise SpecError(source, [Fault(1, 1, hint) for hint in hints])

    @property
    def missing(self) -> list[str]:
        """The open sizes without which there are no numbers."""
        used = {name for each in self.figures.values() for f in each.values() for name in f.names}
        return [n for n in self.compiled.model.free_sizes if n in used and n not in self.at]

    @cached_property
    def figures(self) -> dict[str, dict[str, Figure]]:
        """For each function each figure."""
        description = self.compiled.description
        return {name: _figures(cost_of(description, name)) for name in description.functions}

    def choices(self, function: str) -> list[Choice]:
        """What was decided for each parameter, where the function returns norms by parameter."""
        body = self.compiled.description.functions[function]
        labels = [*body.roots()]
        names = {i: label.partition(".")[2] for i, label in enumerate(labels)}
        wanted = [names[i] for i in _norm_places(function, body)]
        found: list[Choice] = []
        for decision in self.compiled.made.decisions.get(function, ()):
            own = tuple(names[i] for i in decision.roots if names[i] in wanted)
            own = tuple(dict.fromkeys(own))
            if decision.squares and own:
                found.append(_choice(own, decision))
        told = {name for choice in found for name in choice.parameters}
        found += [Choice((name,), "instantiated") for name in wanted if name not in told]
        return sorted(found, key=lambda choice: wanted.index(choice.parameters[0]))

    # How it is told.

    def to_text(self) -> str:
        """A paragraph of conventions and a block a function."""
        lines = textwrap.wrap(" ".join(CONVENTION.split()), WIDTH)
        if self.at:
            given = ", ".join(f"{name} = {value}" for name, value in self.at.items())
            lines += ["", f"Numbers at {given}."]
        if self.missing:
            want = " ".join(f"--at {name}=..." for name in self.missing)
            lines += ["", f"No numbers where {listing(self.missing, 'and')} matters; give {want}"]
        for function, figures in self.figures.items():
            lines += ["", function]
            for key, label in FIGURES.items():
                figure = figures[key]
                number = figure.number(self.at)
                known = "" if number is None else f"{number:,}".replace(",", " ")
                text = "" if not figure.names and known else figure.text
                lines += _row(label, known, text)
            lines += self._mode_lines(function)
            lines += [f"    {line}" for c in self.choices(function) for line in _told(c, self.at)]
        return "\n".join(lines)

    def _mode_lines(self, function: str) -> list[str]:
        parts = self.compiled.made.functions[function]
        if parts.mode is None:
            return []
        lines = [f"    {parts.mode}: the cheapest of"]
        for mode, size in parts.modes.items():
            figure = Figure((size,))
            lines += _row(f"    {mode}", _known(figure.number(self.at)), figure.text, 28)
        return lines

    def to_json(self) -> str:
        """The same, as JSON: formulas as text, numbers null where a size is missing."""
        functions = {}
        for function, figures in self.figures.items():
            parts = self.compiled.made.functions[function]
            functions[function] = {
                **{key: _json(figure, self.at) for key, figure in figures.items()},
                "decisions": [
                    {
                        "parameters": list(choice.parameters),
                        "form": choice.form,
                        "expanded": choice.expanded and _json(choice.expanded, self.at),
                        "instantiated": choice.formed and _json(choice.formed, self.at),
                        "condition": choice.condition,
                    }
                    for choice in self.choices(function)
                ],
                "mode": parts.mode,
                "modes": {m: _json(Figure((s,)), self.at) for m, s in parts.modes.items()},
            }
        whole = {
            "name": self.compiled.model.name,
            "convention": " ".join(CONVENTION.split()),
            "at": dict(self.at),
            "missing": self.missing,
            "functions": functions,
        }
        return json.dumps(whole, indent=2)


def cost_spec(
    spec: str | os.PathLike[str],
    at: Mapping[str, int] | None = None,
    functions: Sequence[str] | None = None,
    example_axis: str | Sequence[str] = "batch",
) -> ModelCost:
    """What the functions of a spec's module cost, at given sizes.

    Raises SpecError for a faulty spec, and where ``at`` names what is no open size.
    """
    return ModelCost(compile_spec(spec, functions, example_axis=example_axis), dict(at or {}))


def _figures(cost: ProgramCost) -> dict[str, Figure]:
    found = {key: getattr(cost, key) for key in FIGURES}
    return {
        key: Figure(x if isinstance(x, tuple) else (x,), cost.switches) for key, x in found.items()
    }


#: Where the functions that return norms by parameter have them: the place in what is returned.
NORM_PARTS = {
    "per_example_sq_norms": 0,
    "backward_with_norms": 2,
    "clipped_by_parameter": 2,
    "weighted_backward": 2,
}


def _norm_places(function: str, body: FunctionBody) -> list[int]:
    part = NORM_PARTS.get(function)
    labels = list(body.roots())
    return [i for i, label in enumerate(labels) if label.startswith(f"{part}.")]


def _choice(parameters: tuple[str, ...], decision: Decision) -> Choice:
    expanded, formed = (Figure((size,)) for size in decision.prices)
    if decision.guard is None:
        return Choice(parameters, decision.form, expanded, formed)
    condition = f"{decision.guard.less} < {decision.guard.more}"
    return Choice(parameters, decision.expanded, expanded, formed, condition)


def _told(choice: Choice, at: Mapping[str, int]) -> list[str]:
    names = ", ".join(choice.parameters)
    if choice.expanded is None or choice.formed is None:
        return [f"{names}: instantiated"]
    expanded, formed = _price(choice.expanded, at), _price(choice.formed, at)
    if choice.condition is not None:
        return [
            f"{names}: where {choice.condition}: {choice.form} at {expanded}",
            f"{' ' * len(names)}  else: instantiated at {formed}",
        ]
    if choice.form == "instantiated":
        return [f"{names}: instantiated at {formed}; Gram at {expanded}"]
    return [f"{names}: {choice.form} at {expanded}; instantiated at {formed}"]


def _price(figure: Figure, at: Mapping[str, int]) -> str:
    number = figure.number(at)
    return figure.text if number is None else f"{figure.text} = {_known(number)}"


def _known(number: int | None) -> str:
    return "" if number is None else f"{number:,}".replace(",", " ")


def _row(label: str, number: str, text: str, indent: int = 24) -> list[str]:
    head = f"    {label:<{indent}} {number:>18}"
    return [f"{head}  {text}".rstrip()]


def _json(figure: Figure, at: Mapping[str, int]) -> dict[str, Any]:
    return {"formula": figure.text, "number": figure.number(at)}
