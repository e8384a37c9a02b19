"""derive: from one formula to its derivative, as text, as LaTeX and as runnable NumPy.

The formula is read safely (:mod:`symdiff.variables`), simplified, differentiated, simplified once
more, and emitted as a small module with two functions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from types import ModuleType
from typing import Any

from codegen.formula import FormulaDescription, FormulaFunction, emit_formula
from codegen.load import load_module
from symdiff import __version__
from symdiff.calculus.curvature import jacobian
from symdiff.calculus.reverse import grad
from symdiff.errors import Fault, SpecError, did_you_mean
from symdiff.expr import build
from symdiff.expr.algebra import scalar
from symdiff.expr.graph import substitute
from symdiff.expr.node import Node
from symdiff.expr.numbers import FLOATS
from symdiff.expr.shapes import shape_text
from symdiff.inspect.latex import LATEX
from symdiff.inspect.layout import Doc, Name, Partial, product
from symdiff.inspect.naming import Line, lines
from symdiff.inspect.show import joined, latex_lines, one_line, text_lines
from symdiff.inspect.text import TEXT
from symdiff.simplify import Simplified, simplify
from symdiff.simplify.choices import chosen_sums
from symdiff.simplify.contraction import planned
from symdiff.simplify.nothings import powers_of, slopes_of_powers
from symdiff.simplify.parts import as_like
from symdiff.simplify.pipeline import ACCURATE, SHORT
from symdiff.simplify.quotients import limits
from symdiff.simplify.removable import removable
from symdiff.simplify.rewrite import Fact, RewriteError
from symdiff.simplify.scaled import scaled_norms
from symdiff.simplify.second_order import cheapest_hvp
from symdiff.simplify.shifted import shifted
from symdiff.simplify.signs import one_sign
from symdiff.simplify.trace import Trace
from symdiff.simplify.vanishing import vanishing
from symdiff.spec.scope import CONSTANTS
from symdiff.variables import DECLARED, FORMULA, Reading, read_formula


@dataclass(frozen=True)
class Derivation:
    """A formula with its derivative, both simplified.

    ``text`` and ``latex`` show them as equations, below the definitions of what they share;
    ``source`` is a NumPy module with functions ``value`` and ``derivative``; ``trace`` holds the
    rules that made the derivative what it is, those of ``value_trace`` before it was taken, giving
    ``raw``; ``near_misses`` are rules that lacked a fact; ``assumptions`` the (variable, fact)
    pairs of the caller that a rule leaned on.
    """

    expression: str
    wrt: str
    order: int
    direction: str | None
    inputs: Mapping[str, Node]
    value_node: Node
    derivative_node: Node
    raw: Node
    trace: Trace
    value_trace: Trace
    near_misses: tuple[str, ...]
    assumptions: tuple[tuple[str, str], ...]

    def value(self, /, check_facts: Any = False, **arrays: Any) -> Any:
        """The formula's value at arrays for all variables, by the emitted module.

        ``check_facts`` has the declared facts looked at (unless a variable has that name).  Raises
        ValueError for a missing or unknown variable, an array that does not fit, or a fact that is
        not true.
        """
        return self._run("value", check_facts, arrays)

    def derivative(self, /, check_facts: Any = False, **arrays: Any) -> Any:
        """The derivative at arrays for all variables: shape of the value, then of the variable.

        ``check_facts`` and errors as in :meth:`value`.
        """
        return self._run("derivative", check_facts, arrays)

    def _run(self, function: str, check_facts: Any, arrays: Mapping[str, Any]) -> Any:
        options = {"check_facts": bool(check_facts)}
        if "check_facts" in self.inputs:
            arrays, options = {**arrays, "check_facts": check_facts}, {}
        missing = [name for name in self.inputs if name not in arrays]
        unknown = [name for name in arrays if name not in self.inputs]
        if missing or unknown:
            said = [f"missing {', '.join(missing)}"] * bool(missing)
            said += [f"unknown {', '.join(unknown)}"] * bool(unknown)
            wanted = ", ".join(self.inputs)
            raise ValueError(f"{function} takes the variables {wanted}: {'; '.join(said)}")
        return getattr(self.module, function)(*(arrays[name] for name in self.inputs), **options)

    @cached_property
    def label(self) -> str:
        """What the formula is called where it is shown: f, or a letter that no variable has."""
        free = [name for name in ("f", "F", "g", "G", "f_value") if name not in self.inputs]
        return free[0] if free else "f'"

    @cached_property
    def derivative_label(self) -> Doc:
        """∂f/∂x, ∂²f/∂x², or the latter times the direction."""
        label = Partial(self.label, self.wrt, self.order)
        return label if self.direction is None else product([label, Name(self.direction)])

    @cached_property
    def lines(self) -> list[Line]:
        """The equations that are shown."""
        return lines({self.label: self.value_node, self.derivative_label: self.derivative_node})

    @property
    def text(self) -> str:
        """The value and the derivative as equations in Unicode."""
        return "\n".join(text_lines(self.lines))

    @property
    def latex(self) -> str:
        """The same as a LaTeX ``aligned`` block."""
        return latex_lines(self.lines)

    @cached_property
    def source(self) -> str:
        """The text of the emitted module; the same for the same arguments, byte for byte."""
        what = {1: "Derivative", 2: "Second derivative"}[self.order]
        along = f", times {self.direction}" if self.direction else ""
        shape = shape_text(self.derivative_node.shape)
        value, derivative = (
            scaled_norms([node])[0] for node in (self.value_node, self.derivative_node)
        )
        functions = {
            "value": FormulaFunction(value, self.expression),
            "derivative": FormulaFunction(
                derivative,
                f"{what} with respect to {self.wrt}{along}, of shape {shape}.",
            ),
        }
        notes = [f"Written by symdiff {__version__}.", *assumption_notes(self.assumptions)]
        title = f"{self.expression}, and its derivative with respect to {self.wrt}."
        return emit_formula(FormulaDescription(title, self.inputs, functions, notes))

    @cached_property
    def module(self) -> ModuleType:
        """The emitted module, loaded in memory."""
        return load_module(self.source, "derived")

    def trace_lines(self) -> list[str]:
        """How the derivative came to be, in about ten lines.

        The rules applied to the formula, the chain rule's result, the rules applied to that, what
        was tidied, facts that no rule but the form of what is computed leaned on, and the rules
        that would have applied but for a fact.
        """
        told = self.trace.lines(one_line)
        rewrites = sum("  →  " in line for line in told)
        before = {str(each) for each in self.value_trace.told(one_line)}
        place = next((i for i in range(rewrites) if told[i] not in before), rewrites)
        raw = f"{TEXT.draw(self.derivative_label)} = {one_line(self.raw)}    by the chain rule"
        named = [f"{x}: {fact}" for x, fact in self.assumptions]
        more = [each for each in named if not any(each in line for line in told)]
        last = [f"computed so that nothing overflows or cancels  [{', '.join(more)}]"]
        return [*told[:place], raw, *told[place:], *(last if more else []), *self.near_misses]

    def to_json(self) -> str:
        """All of it as JSON."""
        value, derivative = self.lines[-2:]
        data = {
            "expression": self.expression,
            "wrt": self.wrt,
            "order": self.order,
            "direction": self.direction,
            "definitions": [_entry(line) for line in self.lines[:-2]],
            "value": _entry(value),
            "derivative": _entry(derivative),
            "source": self.source,
            "trace": self.trace_lines(),
            "steps": [
                {**asdict(step), "facts": sorted(step.facts)} for step in self.trace.told(one_line)
            ],
            "near_misses": list(self.near_misses),
            "assumptions": [list(pair) for pair in self.assumptions],
        }
        return json.dumps(data, ensure_ascii=False, indent=2)


def _entry(line: Line) -> dict[str, Any]:
    return {
        "name": TEXT.draw(line.label),
        "text": TEXT.draw(line.doc),
        "latex": LATEX.draw(line.doc),
        "shape": [size if isinstance(size, int) else str(size) for size in line.shape],
    }


def assumption_notes(facts: Iterable[tuple[str, str]]) -> list[str]:
    """The ledger of assumptions, a sentence each."""
    return [f"Simplified on the word of the caller: {x} has {fact}." for x, fact in sorted(facts)]


#: Equations, Σ p = 1, y² = y or Aᵀ = A, which a derivative with respect to that variable leaves.
_EQUATIONS = frozenset(("sums_to_one", "one_hot", "zero_or_one", "plus_minus_one", "symmetric"))


def _free(facts: Mapping[str, Mapping[str, Any]], wrt: str) -> dict[str, Mapping[str, Any]]:
    """The facts, without equations of the variable that moves: it moves in all directions."""
    own = facts.get(wrt)
    if not isinstance(own, Mapping):
        return dict(facts)
    return {**facts, wrt: {key: fact for key, fact in own.items() if key not in _EQUATIONS}}


def derive(
    expr: str,
    wrt: str,
    shapes: Mapping[str, Any] | None = None,
    facts: Mapping[str, Mapping[str, Any]] | None = None,
    order: int = 1,
    direction: str | None = None,
) -> Derivation:
    """Differentiate a formula, as people write it, with respect to one of its variables.

    ``shapes`` maps variables to sizes (numbers or names); a variable without one is a scalar.
    ``facts`` maps variables to what is known of them, under the keys of a spec's [inputs].  The
    derivative is the gradient of a scalar, the Jacobian of anything else (shape of the value, then
    of the variable); at ``order=2`` the Hessian of a scalar; with ``direction``, a variable of
    wrt's shape, the Hessian times that.  Raises SpecError (a ValueError) for a formula or a
    declaration that is wrong, saying where.
    """
    if order not in (1, 2):
        raise ValueError(f"derive: order is 1 or 2, not {order!r}")
    given = dict(shapes or {})
    if direction is not None:
        order = 2
        given.setdefault(direction, given.get(wrt, ()))
    with build.default_dtype("float64"):
        also = (wrt,) if wrt in CONSTANTS else ()
        reading = read_formula(expr, given, _free(facts or {}, wrt), also)
        x, v = _variables(reading, wrt, direction)
        node = reading.node if reading.node.dtype in FLOATS else build.cast(reading.node, "float64")
        if order == 2 and node.ndim:
            raise _fault(
                f"the formula has shape {shape_text(node.shape)}; only a scalar has a Hessian"
            )
        forward = simplify(node, trace=True, phases=ACCURATE, contractions=False)
        steps = [forward]
        (held,) = shifted([forward.root], x)
        if held is not forward.root:
            forward = simplify(held, trace=True, phases=ACCURATE, contractions=False)
            steps.append(forward)
        leaned: set[Fact] = set()
        before = joined(step.trace for step in steps)
        powers = [*powers_of(forward.root), *powers_of(node, steps[0].mapping)]
        raw, made = _derivative(forward.root, x, v, order, steps)
        made = slopes_of_powers(made, powers)
        for limit in limits(forward.root, made):
            near = _derivative(limit.value, x, v, order, [])[1]
            made = as_like(scalar("where", limit.near, near, made), made)
            leaned |= limit.facts
        plan = planned([forward.root])
        for last in (plan.roots[0], made):
            scaled_norms([last], leaned)
        declared = read_formula(expr, given, facts or {}, also).inputs[wrt]
        value, made, raw = substitute([plan.roots[0], made, raw], {x: declared})
    assumed = plan.facts.union(leaned, *(step.assumptions for step in steps))
    misses = dict.fromkeys(miss.text(one_line) for step in steps for miss in step.near_misses)
    return Derivation(
        expr,
        wrt,
        order,
        direction,
        {**reading.inputs, wrt: declared},
        value,
        made,
        raw,
        joined(step.trace for step in steps),
        before,
        tuple(misses),
        tuple(sorted(assumed)),
    )


def _fault(message: str, source: str = FORMULA) -> SpecError:
    return SpecError(source, [Fault(1, 1, message)])


def _variables(reading: Reading, wrt: str, direction: str | None) -> tuple[Node, Node | None]:
    if wrt not in reading.inputs:
        hint = did_you_mean(wrt, reading.inputs)
        raise _fault(f"no variable of the formula is called {wrt!r}{hint}", DECLARED)
    x = reading.inputs[wrt]
    if x.dtype not in FLOATS:
        raise _fault(f"{wrt!r} holds labels or indices, whole numbers without derivative", DECLARED)
    v = None if direction is None else reading.inputs[direction]
    if v is not None and (v.shape != x.shape or v.dtype != x.dtype):
        raise _fault(
            f"the direction {direction!r} has shape {shape_text(v.shape)}, not that of {wrt!r}, "
            f"{shape_text(x.shape)}",
            DECLARED,
        )
    return x, v


def _derivative(
    value: Node, x: Node, v: Node | None, order: int, steps: list[Simplified]
) -> tuple[Node, Node]:
    """The derivative of the simplified value, raw and simplified; appends what each pass did.

    A way through an elementwise function at a time, so that terms find each other and cancel.
    What is to be differentiated again is not planned: the plan's guards against rounding below 0
    have no second derivative where a sum of squares is 0.
    """

    def simplified(node: Node, last: bool = True) -> Node:
        steps.append(simplify(node, trace=True, phases=ACCURATE, contractions=last))
        return steps[-1].root

    def shortened(node: Node) -> Node:
        (node,) = chosen_sums(removable(vanishing([node])))
        try:
            steps.append(simplify(node, trace=True, phases=(SHORT,), contractions=False))
        except RewriteError:  # a fault of ours, but the longer derivative is as right
            return one_sign(node)
        return one_sign(steps[-1].root)

    if v is not None:
        way = cheapest_hvp(value, [x], [v], trace=True, phases=ACCURATE)
        (raw,), best = way.raw, way.simplified
        steps.append(best)
        return raw, shortened(best.root)
    if order > 1:
        value = simplified(grad(value, x, wholes=False), last=False)
    raw = jacobian(value, x, wholes=False)
    return raw, shortened(simplified(raw))
