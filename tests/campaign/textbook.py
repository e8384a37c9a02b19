"""Textbook formulas, respelled or changed: what rules see when a pattern is almost theirs.

A *spelling* is a formula of tests/data in other words; its derivative is the one known in 1,500
digits.  A *variant* has another operation, number, name or weight somewhere, so that it is another
function, with a truth of its own: a rule that takes it for what it was is found out.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

import symdiff as sd
from tests.campaign.laws import LAWS, Shapes
from tests.simplify.test_cases import CASES, SMALLEST, values
from tests.simplify.truth import Formula, derivative

#: Laws after which digits are lost that no one would find again: only the benign point is checked.
LOSSY = frozenset(("distributed", "less one"))
_DIGITS = 120


@dataclass(frozen=True)
class Textbook:
    """A formula made of that of a case; ``truths`` are derivatives by the point's name."""

    case: str
    formula: str
    points: Mapping[str, Mapping[str, Any]]
    truths: Mapping[str, Any]

    def text(self) -> str:
        """The formula, with what it was and where it is evaluated."""
        case = CASES[self.case]
        facts = {name: given["facts"] for name, given in case["inputs"].items() if given["facts"]}
        lines = [f"{self.formula}\nby {case['wrt']}, of {self.case}; facts {facts}"]
        return "\n".join([*lines, *(f"{name}: {dict(p)}" for name, p in self.points.items())])


def _whole(case: Mapping[str, Any]) -> frozenset[str]:
    inputs = case["inputs"].items()
    return frozenset(name for name, given in inputs if given["dtype"].startswith(("int", "bool")))


def _shapes_at(case: Mapping[str, Any]) -> Shapes:
    """The shapes of parts of a formula at the case's benign point."""
    with mpmath.workdps(20):
        point = Formula("0", _whole(case)).point(case["benign_point"])

    def shape(e: ast.expr) -> tuple[int, ...] | None:
        try:
            with mpmath.workdps(20):
                return tuple(np.shape(Formula(ast.unparse(e))(point)))
        except Exception:  # a part that has no value by itself, such as a slice
            return None

    return shape


def _spots(tree: ast.AST) -> list[tuple[ast.AST, str, int | None]]:
    """Every place of an expression within another, but names of functions and of axes."""
    found: list[tuple[ast.AST, str, int | None]] = []
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if isinstance(parent, ast.keyword) or (
                isinstance(parent, ast.Call) and field in ("func", "keywords")
            ):
                continue
            if isinstance(parent, ast.Attribute) and isinstance(parent.value, ast.Name):
                continue
            if isinstance(value, ast.expr):
                found.append((parent, field, None))
            elif isinstance(value, list):
                found += [
                    (parent, field, i) for i, x in enumerate(value) if isinstance(x, ast.expr)
                ]
    return found


def _at(spot: tuple[ast.AST, str, int | None]) -> ast.expr:
    parent, field, i = spot
    child: ast.expr = getattr(parent, field) if i is None else getattr(parent, field)[i]
    return child


def _put(spot: tuple[ast.AST, str, int | None], new: ast.expr) -> None:
    parent, field, i = spot
    if i is None:
        setattr(parent, field, new)
    else:
        getattr(parent, field)[i] = new


def respelled(formula: str, shape: Shapes) -> dict[str, list[str]]:
    """All formulas that one use of a law makes of this one, by the law."""
    tree = ast.parse(formula, mode="eval")
    found: dict[str, list[str]] = {}
    for spot in _spots(tree):
        child = _at(spot)
        for name, law in LAWS.items():
            for new in law(child, shape):
                _put(spot, ast.parse(new, mode="eval").body)
                found.setdefault(name, []).append(ast.unparse(tree))
                _put(spot, child)
    return found


def equal(one: str, other: str, case: Mapping[str, Any]) -> bool:
    """Whether two formulas have equal values at a case's points, to 600 of 1500 digits."""
    with mpmath.workdps(1500):
        f, g = Formula(one, _whole(case)), Formula(other, _whole(case))
        for name in ("benign_point", "stress_point"):
            if case.get(name) is None:
                continue
            point = f.point(case[name])
            try:
                x, y = f(point), g(point)
            except (ZeroDivisionError, ValueError):  # log 0, or 1 / 0
                return False
            if x.shape != y.shape:
                return False
            for a, b in zip(x.flat, y.flat, strict=True):
                if isinstance(b, mpmath.mpc) or not mpmath.isfinite(b):
                    return False
                if abs(a - b) > mpmath.mpf(10) ** -600 * (1 + abs(a)):
                    return False
    return True


@st.composite
def spellings(draw: st.DrawFn) -> Textbook:
    """A case's formula after one to three laws."""
    name = draw(st.sampled_from(sorted(CASES)))
    case = CASES[name]
    formula, shape, used = case["naive_numpy"], _shapes_at(case), set()
    for _ in range(draw(st.integers(1, 3))):
        ways = respelled(formula, shape)
        assume(ways)
        law = draw(st.sampled_from(sorted(ways)))
        new = draw(st.sampled_from(ways[law]))
        if equal(case["naive_numpy"], new, case):
            formula = new
            used.add(law)
    names = ["benign"] if used & LOSSY else ["benign", "stress"]
    names = [n for n in names if case.get(f"{n}_point") is not None]
    return Textbook(
        name,
        formula,
        {n: case[f"{n}_point"] for n in names},
        {n: np.array(case[f"{n}_value_f64"]) for n in names},
    )


#: For each function, others that a variant has in its place.
_OTHERS = {
    "np.maximum": ("np.minimum",),
    "np.minimum": ("np.maximum",),
    "np.sum": ("np.mean", "np.prod"),
    "np.mean": ("np.sum", "np.prod"),
    "np.max": ("np.sum",),
    "np.min": ("np.max",),
    "np.exp": ("np.tanh", "np.abs"),
    "np.log": ("np.exp", "np.sqrt"),
    "np.tanh": ("np.exp",),
    "np.sqrt": ("np.exp", "np.abs"),
}
_NUMBERS = (0.0, 1.0, 2.0, 3.0, 0.5, -1.0)


def _changes(e: ast.expr, shapes: Mapping[str, tuple[int, ...]]) -> list[str]:
    """Other expressions of the same shape, most of them other functions."""
    text = f"({ast.unparse(e)})"
    if isinstance(e, ast.Constant) and type(e.value) in (int, float):
        return [repr(n) for n in (*_NUMBERS, 2 * e.value) if n != e.value]
    if isinstance(e, ast.BinOp) and not isinstance(e.op, ast.MatMult | ast.Pow):
        a, b = f"({ast.unparse(e.left)})", f"({ast.unparse(e.right)})"
        return [f"{a} {op} {b}" for op in "+-*/"]
    if isinstance(e, ast.Name) and e.id in shapes:
        others = [n for n, s in shapes.items() if n != e.id and len(s) <= len(shapes[e.id])]
        alike = [n for n in others if shapes[n] == shapes[e.id]]
        return [f"2 * {text}", f"{text} * {text}", *alike, *(f"{text} * {n}" for n in alike)]
    if isinstance(e, ast.UnaryOp):
        return [f"2 * {text}", ast.unparse(e.operand)]
    if isinstance(e, ast.Call) and ast.unparse(e.func) in _OTHERS:
        others = list(_OTHERS[ast.unparse(e.func)])
        return [ast.unparse(e).replace(ast.unparse(e.func), other, 1) for other in others]
    return []


@st.composite
def variants(draw: st.DrawFn) -> Textbook:
    """A case's formula with one or two changes, at a point beside the benign one."""
    firsts = sorted(
        name
        for name, case in CASES.items()
        if case["derivative"] in ("gradient", "jacobian") and "1e9" not in case["naive_numpy"]
    )
    name = draw(st.sampled_from(firsts))
    case, whole = CASES[name], _whole(CASES[name])
    shapes = {n: tuple(g["shape"]) for n, g in case["inputs"].items() if n not in whole}
    tree = ast.parse(case["naive_numpy"], mode="eval")
    for _ in range(draw(st.integers(1, 2))):
        ways = [(spot, new) for spot in _spots(tree) for new in _changes(_at(spot), shapes)]
        assume(ways)
        spot, new = draw(st.sampled_from(ways))
        _put(spot, ast.parse(new, mode="eval").body)
    formula = ast.unparse(tree)
    point = dict(case["benign_point"])
    for n in shapes:  # away from kinks; what facts speak of stays as it is, but for signs
        if case["inputs"][n]["facts"].keys() <= {"positive", "nonnegative"}:
            by = np.linspace(0.011, 0.029, int(np.prod(shapes[n])) or 1).reshape(shapes[n])
            point[n] = (np.asarray(point[n]) * (1 + by) + by / 7).tolist()
    mpmath.mp.trap_complex = True  # a root of a negative number is none, whatever becomes of it
    try:
        truth = derivative(formula, case["wrt"], point, whole=whole, digits=_DIGITS)
    except (TypeError, ValueError, ZeroDivisionError, IndexError):
        truth = np.array(np.nan)  # of complex numbers, or of shapes that do not fit
    finally:
        mpmath.mp.trap_complex = False
    assume(np.all(np.isfinite(truth)) and np.all(np.abs(truth) < 1e8))
    return Textbook(name, formula, {"benign": point}, {"benign": truth})


def check_textbook(textbook: Textbook) -> None:
    """The derivative at each point.  Raises AssertionError; a formula may be refused."""
    case = CASES[textbook.case]
    inputs = case["inputs"]
    stored = textbook.points["benign"] is case["benign_point"]
    try:
        found = sd.derive(
            textbook.formula,
            wrt=case["wrt"],
            shapes={name: tuple(given["shape"]) for name, given in inputs.items()},
            facts={name: given["facts"] for name, given in inputs.items() if given["facts"]},
            order=2 if case["derivative"] in ("hessian", "hvp") else 1,
            direction=case["hvp_vector"] if case["derivative"] == "hvp" else None,
        )
    except ValueError:
        assert not stored, f"refused: {textbook.formula}"
        return
    for name, truth in textbook.truths.items():
        arrays = values({**case, f"{name}_point": textbook.points[name]}, name)
        got = np.asarray(found.derivative(**arrays))
        relative = case["rtol"] if name == "stress" else 1e-11 if stored else 1e-8
        absolute = case["atol"] + SMALLEST if stored else 1e-9 * (1 + np.max(np.abs(truth)))
        assert got.shape == truth.shape
        error = np.abs(got - truth)
        assert np.all(error <= relative * np.abs(truth) + absolute), (name, got, truth)
