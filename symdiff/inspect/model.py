"""What ``symdiff inspect`` shows of a model: its equations, and derivatives of its loss.

Gradients are shown as the chain rule between equations (:mod:`symdiff.inspect.chain_rule`), each
with its shape beside that of its variable; Hessian-vector products and per-example norms as the
whole expressions that modules compute.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symdiff.calculus.example_losses import example_losses
from symdiff.calculus.examples import MixingError
from symdiff.calculus.per_example import per_example_gradients, squared_norms
from symdiff.errors import Fault, SpecError, did_you_mean
from symdiff.expr import build
from symdiff.expr.node import Node
from symdiff.expr.numbers import FLOATS
from symdiff.expr.shapes import Shape, ShapeError, shape_text
from symdiff.inspect.chain_rule import ChainRule
from symdiff.inspect.equations import read_equations
from symdiff.inspect.latex import LATEX
from symdiff.inspect.layout import Doc, Name
from symdiff.inspect.naming import Line, lines
from symdiff.inspect.show import joined, latex_lines, one_line
from symdiff.inspect.text import TEXT
from symdiff.simplify import Simplified, simplify
from symdiff.simplify.second_order import cheapest_hvp
from symdiff.simplify.trace import NearMiss
from symdiff.spec.model import Model
from symdiff.spec.write import equations_text

#: The widest text column that shapes are lined up behind.
COLUMN = 72


@dataclass(frozen=True)
class Derived:
    """A line of a derivation: a derivative with respect to ``wrt``, or what it is made of.

    ``shape_of`` says whose shape stands beside the line's own, and what it is.
    """

    line: Line
    wrt: str | None = None
    shape_of: tuple[str, Shape] | None = None


@dataclass(frozen=True)
class Applied:
    """The rules that made one derivative what it is, a line each."""

    label: str
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Inspection:
    """A model's derivation: its equations, the derivatives asked for, the rules, the assumptions.

    ``spec`` is the model as the text of a spec of equations; ``equations`` are the same in
    simplest form; ``assumptions`` the (input, fact) pairs that a rule leaned on.
    """

    model: Model
    of: str
    equations: tuple[Line, ...]
    derivatives: tuple[Derived, ...]
    trace: tuple[Applied, ...]
    assumptions: tuple[tuple[str, str], ...]

    @property
    def spec(self) -> str:
        """The equations that the spec stands for, as TOML."""
        return equations_text(self.model)

    def to_text(self, trace: bool = False) -> str:
        """The derivation in Unicode: equations, derivatives with shapes, and the rules."""
        rows = [(_equation(line), shape_text(line.shape)) for line in self.equations]
        blocks = [_columns(rows)] if rows else []
        blocks.append(_columns([(_equation(d.line), _shapes(d)) for d in self.derivatives]))
        if trace:
            blocks += [
                "\n".join([f"{applied.label}:", *(f"    {rule}" for rule in applied.rules)])
                for applied in self.trace
                if applied.rules
            ]
        if self.assumptions:
            said = [f"    {name} has {fact}" for name, fact in self.assumptions]
            blocks.append("\n".join(["on the word of the spec:", *said]))
        return "\n\n".join(blocks) + "\n"

    def to_latex(self) -> str:
        """The equations and the derivatives as two LaTeX ``aligned`` blocks."""
        blocks = [latex_lines(self.equations)] if self.equations else []
        blocks.append(latex_lines([derived.line for derived in self.derivatives]))
        return "\n\n".join(blocks) + "\n"

    def to_json(self) -> str:
        """All of it as JSON: names, text, LaTeX, shapes, rules."""
        data = {
            "name": self.model.name,
            "of": self.of,
            "spec": self.spec,
            "equations": [_entry(line) for line in self.equations],
            "derivatives": [
                {
                    **_entry(derived.line),
                    "wrt": derived.wrt,
                    "wrt_shape": derived.shape_of and _sizes(derived.shape_of[1]),
                }
                for derived in self.derivatives
            ],
            "trace": [{"of": a.label, "rules": list(a.rules)} for a in self.trace],
            "assumptions": [list(pair) for pair in self.assumptions],
        }
        return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def _equation(line: Line) -> str:
    return f"{TEXT.draw(line.label)} = {TEXT.draw(line.doc)}"


def _shapes(derived: Derived) -> str:
    own = shape_text(derived.line.shape)
    if derived.shape_of is None:
        return own
    name, shape = derived.shape_of
    return f"{own}  {name} {shape_text(shape)}"


def _columns(rows: Sequence[tuple[str, str]]) -> str:
    """Two columns; long lines push their own shape to the right, and no other's."""
    width = max((len(left) for left, _ in rows if len(left) <= COLUMN), default=0)
    return "\n".join(f"{left:<{width}}    {right}" for left, right in rows)


def _sizes(shape: Shape) -> list[int | str]:
    return [size if isinstance(size, int) else str(size) for size in shape]


def _entry(line: Line) -> dict[str, Any]:
    return {
        "name": TEXT.draw(line.label),
        "text": TEXT.draw(line.doc),
        "latex": f"{LATEX.draw(line.label)} = {LATEX.draw(line.doc)}",
        "shape": _sizes(line.shape),
    }


def inspect_model(
    model: Model, wrt: Sequence[str] = (), of: str = "backward", raw: bool = False
) -> Inspection:
    """The derivation of a model that was read from a spec.

    ``of`` is "backward" (gradients of the loss), "hvp" (the Hessian of the loss times v, v having
    an array for each trainable parameter) or "norms" (each example's squared gradient norm);
    ``wrt`` names parameters, inputs or equations, by default all trainable parameters (hvp and
    norms are of those only); ``raw`` shows what differentiation wrote, not simplified.  Raises
    SpecError for names that there are not, and where a model has no per-example norms.
    """
    names = list(dict.fromkeys(wrt)) or list(model.trainable)
    _check_names(model, names, of)
    return _VIEWS[of](model, names, raw)


def _check_names(model: Model, names: Sequence[str], of: str) -> None:
    known = model.values if of == "backward" else model.trainable
    what = "input, parameter or equation" if of == "backward" else "trainable parameter"
    said = []
    for name in names:
        if name not in known:
            said.append(f"--wrt: no {what} is called {name!r}{did_you_mean(name, known)}")
        elif known[name].dtype not in FLOATS:
            said.append(f"--wrt: {name!r} holds whole numbers, which have no derivative")
    if said:
        raise SpecError(model.source, [Fault(1, 1, text) for text in said])


def _backward(model: Model, names: Sequence[str], raw: bool) -> Inspection:
    equations = read_equations(model)
    forms, forward = equations.simplified()
    rule = ChainRule(equations, simplified=not raw)
    found = rule.needed(names)
    known: dict[Node, Doc] = {}
    for derivative in found:
        known.update(derivative.known)
    chosen = equations.formulas if raw else forms
    above = lines({Name(name): node for name, node in chosen.items()})
    # Of a loop's h[t], the name is h.
    taken = [TEXT.draw(line.label).partition("[")[0] for line in above]
    shown = lines({d.label: d.node for d in found}, known=known, taken=taken)
    place = {d.label: d for d in found}
    derived = [
        Derived(line)
        if line.defined or line.label not in place
        else Derived(
            line,
            place[line.label].wrt,
            (place[line.label].wrt, equations.leaves[place[line.label].wrt].shape),
        )
        for line in shown
    ]
    trace = tuple(Applied(TEXT.draw(d.label), _rules(d.steps, known, d.near_misses)) for d in found)
    steps = [step for d in found for step in d.steps]
    return Inspection(
        model,
        "backward",
        tuple(above),
        tuple(derived),
        trace,
        _assumptions(steps if raw else [*steps, forward]),
    )


def _rules(
    steps: Sequence[Simplified], known: Mapping[Node, Doc], missed: Iterable[NearMiss]
) -> tuple[str, ...]:
    """The rules of consecutive simplifications, and those that lacked a fact."""

    def show(node: Node) -> str:
        return one_line(node, known)

    trace = joined(step.trace for step in steps)
    misses = dict.fromkeys(miss.text(show) for miss in missed)
    return (*trace.lines(show), *misses)


def _assumptions(steps: Iterable[Simplified]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted({fact for step in steps for fact in step.assumptions}))


class _Whole:
    """A model's loss as one graph, simplified before it is differentiated."""

    def __init__(self, model: Model, raw: bool) -> None:
        self.model = model
        self.raw = raw
        self.steps: list[Simplified] = []
        roots = [*model.values.values(), model.per_example]
        roots += [] if model.regularizer is None else [model.regularizer]
        done = self.simplified(roots)
        values = dict(zip(model.values, done, strict=False))
        self.names: dict[Node, str] = {}
        for name in model.equations:
            self.names.setdefault(values[name], name)
        self.per_example = done[len(values)]
        with build.default_dtype(model.dtype):
            self.loss = build.sum(self.per_example)
            if model.reduction == "mean":
                self.loss = self.loss / build.size_node(model.rows, model.dtype)
            if model.regularizer is not None:
                self.loss = self.loss + done[-1]

    def simplified(self, nodes: Sequence[Node]) -> list[Node]:
        """The nodes in simplest form, the names following them; as they are if ``raw``."""
        if self.raw:
            return list(nodes)
        found = simplify(nodes, trace=True)
        self.follow(found)
        return list(found.roots)

    def follow(self, found: Simplified) -> None:
        """Take note of a simplification."""
        self.steps.append(found)
        for node, name in list(getattr(self, "names", {}).items()):
            self.names.setdefault(found.mapping.get(node, node), name)

    def inspection(
        self, of: str, prefix: str, made: Mapping[str, Node], known: Mapping[Node, Doc]
    ) -> Inspection:
        """The results under ``prefix_name``, below the definitions that they need."""
        labels = {Name(f"{prefix}_{name}"): name for name in made}
        roots: dict[str | Doc, Node] = {label: made[name] for label, name in labels.items()}
        shapes = {name: node.shape for name, node in self.model.trainable.items()}
        derived = []
        for line in lines(roots, self.names, known):
            name = labels.get(line.label) if isinstance(line.label, Name) else None
            if line.defined or name is None:
                derived.append(Derived(line))
            else:
                derived.append(Derived(line, name, (name, shapes[name])))
        missed = [miss for step in self.steps for miss in step.near_misses]
        rules = _rules(self.steps, {**_docs(self.names), **known}, missed)
        return Inspection(
            self.model,
            of,
            (),
            tuple(derived),
            (Applied(", ".join(label.text for label in labels), rules),),
            _assumptions(self.steps),
        )


def _docs(names: Mapping[Node, str]) -> dict[Node, Doc]:
    return {node: Name(name) for node, name in names.items()}


def _hvp(model: Model, names: Sequence[str], raw: bool) -> Inspection:
    """The cheapest of the ways to the product; the raw one is Pearlmutter's."""
    whole = _Whole(model, raw)
    xs = model.trainable
    taken = set(model.values)
    vs: dict[str, Node] = {}
    known: dict[Node, Doc] = {}
    for name, x in xs.items():
        vs[name] = build.input(f"v.{name}", x.shape, x.dtype)
        label = f"v_{name}"
        while label in taken:
            label += "_"
        known[vs[name]] = Name(label)
    way = cheapest_hvp(whole.loss, list(xs.values()), list(vs.values()), trace=True)
    products, found = way.raw, way.simplified
    if raw:
        done = products
    else:
        whole.follow(found)
        done = list(found.roots)
    made = {name: node for name, node in zip(xs, done, strict=True) if name in names}
    return whole.inspection("hvp", "Hv", made, known)


def _norms(model: Model, names: Sequence[str], raw: bool) -> Inspection:
    whole = _Whole(model, raw)
    xs = {name: node for name, node in model.trainable.items() if name in names}
    try:
        scale, losses = example_losses(whole.per_example, model.examples)
        gradients = per_example_gradients(losses, list(xs.values()), model.examples, whole.names)
    except (MixingError, ShapeError) as error:
        raise SpecError(model.source, [Fault(*model.place_of(error), f"norms: {error}")]) from None
    done = whole.simplified(squared_norms([scale * g for g in gradients], len(model.examples)))
    return whole.inspection("norms", "s", dict(zip(xs, done, strict=True)), {})


_VIEWS: Mapping[str, Callable[[Model, Sequence[str], bool], Inspection]] = {
    "backward": _backward,
    "hvp": _hvp,
    "norms": _norms,
}
