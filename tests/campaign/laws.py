"""Laws by which another person would have written the same formula.

A law turns an expression of Python into equal ones: a quotient into a product with a reciprocal, a
matrix product into an einsum, the logarithm of a quotient into a difference.  It holds where every
value that it touches is real and in its domain; whether it holds at the points of a case,
:func:`tests.campaign.textbook.equal` finds out in many digits, without symdiff.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping

#: The shape of each part of a formula that has been evaluated, by its text.
Shapes = Callable[[ast.expr], tuple[int, ...] | None]
Law = Callable[[ast.expr, Shapes], list[str]]


def _call(e: ast.AST, name: str, count: int = 1) -> list[ast.expr] | None:
    """The arguments of ``np.name(...)`` without keywords."""
    if (
        isinstance(e, ast.Call)
        and ast.unparse(e.func) == f"np.{name}"
        and len(e.args) == count
        and not e.keywords
    ):
        return e.args
    return None


def _binary(e: ast.AST, op: type[ast.operator]) -> tuple[ast.expr, ast.expr] | None:
    if isinstance(e, ast.BinOp) and isinstance(e.op, op):
        return e.left, e.right
    return None


def _text(*parts: ast.expr) -> list[str]:
    return [f"({ast.unparse(part)})" for part in parts]


def _order(e: ast.expr, _: Shapes) -> list[str]:
    for op, sign in ((ast.Add, "+"), (ast.Mult, "*")):
        if pair := _binary(e, op):
            a, b = _text(*pair)
            return [f"{b} {sign} {a}"]
    return []


def _difference(e: ast.expr, _: Shapes) -> list[str]:
    if pair := _binary(e, ast.Sub):
        a, b = _text(*pair)
        return [f"-({b} - {a})", f"-{b} + {a}", f"{a} + -1 * {b}"]
    return []


def _quotient(e: ast.expr, _: Shapes) -> list[str]:
    if pair := _binary(e, ast.Div):
        a, b = _text(*pair)
        return [f"{a} * (1 / {b})", f"{a} * {b}**-1", f"1 / ({b} / {a})"]
    return []


def _negative(e: ast.expr, _: Shapes) -> list[str]:
    if isinstance(e, ast.UnaryOp) and isinstance(e.op, ast.USub):
        (a,) = _text(e.operand)
        return [f"-1 * {a}", f"0 - {a}"]
    return []


def _distributed(e: ast.expr, _: Shapes) -> list[str]:
    """a (b + c), (a + b) / c."""
    for op, sign in ((ast.Mult, "*"), (ast.Div, "/")):
        pair = _binary(e, op)
        if pair is None:
            continue
        for inner, mark in ((ast.Add, "+"), (ast.Sub, "-")):
            if terms := _binary(pair[0], inner):
                a, b, c = _text(*terms, pair[1])
                return [f"{a} {sign} {c} {mark} {b} {sign} {c}"]
            if op is ast.Mult and (terms := _binary(pair[1], inner)):
                a, b, c = _text(*terms, pair[0])
                return [f"{c} * {a} {mark} {c} * {b}"]
    return []


def _square(e: ast.expr, _: Shapes) -> list[str]:
    pair = _binary(e, ast.Pow)
    if pair is None or not isinstance(pair[1], ast.Constant):
        return []
    (a,) = _text(pair[0])
    if pair[1].value == 2:
        return [f"{a} * {a}", f"np.square({a})", f"np.power({a}, 2)", f"np.abs({a})**2"]
    if pair[1].value == 0.5:
        return [f"np.sqrt({a})"]
    return [f"np.power({a}, {pair[1].value})"]


def _root(e: ast.expr, _: Shapes) -> list[str]:
    if args := _call(e, "sqrt"):
        (a,) = _text(*args)
        found = [f"{a}**0.5", f"np.power({a}, 0.5)"]
        # of a number it would be another number, an ulp away
        return found + [f"np.exp(0.5 * np.log({a}))"] * (not isinstance(args[0], ast.Constant))
    return []


def _exponential(e: ast.expr, _: Shapes) -> list[str]:
    args = _call(e, "exp")
    if args is None:
        return []
    (a,) = args
    found = []
    if isinstance(a, ast.UnaryOp) and isinstance(a.op, ast.USub):
        found.append(f"1 / np.exp({ast.unparse(a.operand)})")
    for op, sign in ((ast.Add, "*"), (ast.Sub, "/")):
        if pair := _binary(a, op):
            x, y = _text(*pair)
            found.append(f"np.exp({x}) {sign} np.exp({y})")
    return [*found, f"np.e**({ast.unparse(a)})"]


def _logarithm(e: ast.expr, _: Shapes) -> list[str]:
    args = _call(e, "log")
    if args is None:
        return []
    (a,) = args
    found = []
    for op, sign in ((ast.Mult, "+"), (ast.Div, "-")):
        if pair := _binary(a, op):
            x, y = _text(*pair)
            found.append(f"np.log({x}) {sign} np.log({y})")
    if pair := _binary(a, ast.Pow):
        x, y = _text(*pair)
        found.append(f"{y} * np.log({x})")
    if pair := _binary(a, ast.Add):
        for one, other in (pair, pair[::-1]):
            if isinstance(one, ast.Constant) and one.value == 1:
                found.append(f"np.log1p({ast.unparse(other)})")
    if isinstance(a, ast.BinOp) and isinstance(a.op, ast.Sub):
        if isinstance(a.left, ast.Constant) and a.left.value == 1:
            found.append(f"np.log1p(-({ast.unparse(a.right)}))")
    return [*found, f"-np.log(1 / ({ast.unparse(a)}))"]


def _less_one(e: ast.expr, _: Shapes) -> list[str]:
    pair = _binary(e, ast.Sub)
    if pair and isinstance(pair[1], ast.Constant) and pair[1].value == 1:
        if args := _call(pair[0], "exp"):
            return [f"np.expm1({ast.unparse(args[0])})"]
    return []


def _logistic(e: ast.expr, _: Shapes) -> list[str]:
    """1 / (1 + exp(-z)) in other words."""
    pair = _binary(e, ast.Div)
    if pair is None or ast.unparse(pair[0]) != "1" or not (terms := _binary(pair[1], ast.Add)):
        return []
    one, power = terms if ast.unparse(terms[0]) == "1" else terms[::-1]
    args = _call(power, "exp")
    if ast.unparse(one) != "1" or args is None:
        return []
    z = f"(-({ast.unparse(args[0])}))"
    return [
        f"np.exp({z}) / (1 + np.exp({z}))",
        f"0.5 * (1 + np.tanh({z} / 2))",
        f"1 - 1 / (1 + np.exp({z}))",
        f"np.exp(-np.log(1 + np.exp(-{z})))",
        f"0.5 + 0.5 * np.tanh(0.5 * {z})",
    ]


def _tanh(e: ast.expr, _: Shapes) -> list[str]:
    args = _call(e, "tanh")
    if args is not None and "log" not in ast.unparse(args[0]):  # no one writes exp(log(x))
        (z,) = _text(*args)
        return [
            f"(np.exp({z}) - np.exp(-{z})) / (np.exp({z}) + np.exp(-{z}))",
            f"(np.exp(2 * {z}) - 1) / (np.exp(2 * {z}) + 1)",
            f"2 / (1 + np.exp(-2 * {z})) - 1",
            f"1 - 2 / (np.exp(2 * {z}) + 1)",
            f"np.sinh({z}) / np.cosh({z})",
        ]
    return []


def _normalised(e: ast.expr, _: Shapes) -> list[str]:
    """exp(z) / sum(exp(z)) as the exponential of a difference, or with another shift."""
    pair = _binary(e, ast.Div)
    if pair is None or (args := _call(pair[0], "exp")) is None:
        return []
    z, total = ast.unparse(args[0]), ast.unparse(pair[1])
    return [f"np.exp(({z}) - np.log({total}))", f"1 / (np.exp(-({z})) * {total})"]


def _sum(e: ast.expr, shape: Shapes) -> list[str]:
    """A sum of everything: a method, a mean times a count, a product with another array."""
    args = _call(e, "sum")
    if args is None:
        return []
    (a,) = args
    text, found = ast.unparse(a), []
    own = shape(a)
    found.append(f"({text}).sum()")
    if own:
        found.append(f"np.mean({text}) * {math.prod(own)}")
        found.append(f"np.sum(({text}).reshape(-1))")
        letters = "ijkl"[: len(own)]
        found.append(f"np.einsum('{letters}->', {text})")
        found.append(f"np.sum(({text}).T)")
    if len(own or ()) == 2:
        found.append(f"np.sum(np.sum({text}, axis=0))")
        found.append(f"np.sum(np.sum({text}, axis=1))")
    for op, sign in ((ast.Add, "+"), (ast.Sub, "-")):
        pair = _binary(a, op)
        if pair and shape(pair[0]) == shape(pair[1]) == own:
            x, y = _text(*pair)
            found.append(f"np.sum({x}) {sign} np.sum({y})")
    pair = _binary(a, ast.Mult)
    if pair and own and shape(pair[0]) == shape(pair[1]) == own:
        x, y = _text(*pair)
        letters = "ijkl"[: len(own)]
        found.append(f"np.einsum('{letters},{letters}->', {x}, {y})")
        if len(own) == 1:
            found += [f"{x} @ {y}", f"np.dot({y}, {x})"]
        if len(own) == 2:
            found += [f"np.trace({x} @ {y}.T)", f"np.trace({x}.T @ {y})"]
    if pair and own and shape(pair[0]) == ():
        x, y = _text(*pair)
        found.append(f"{x} * np.sum({y})")
    if isinstance(a, ast.UnaryOp) and isinstance(a.op, ast.USub):
        found.append(f"-np.sum({ast.unparse(a.operand)})")
    return found


def _mean(e: ast.expr, shape: Shapes) -> list[str]:
    args = _call(e, "mean")
    if args is None or not (own := shape(args[0])):
        return []
    text, count = ast.unparse(args[0]), math.prod(own)
    return [f"np.sum({text}) / {count}", f"({text}).mean()", f"np.sum(({text}) / {count})"]


def _kept(e: ast.expr, shape: Shapes) -> list[str]:
    """A reduction along an axis: the axis from the other end, the kept axis put back by hand."""
    if not isinstance(e, ast.Call) or not e.args or len(e.keywords) == 0:
        return []
    given = {k.arg: k.value for k in e.keywords}
    own = shape(e.args[0])
    if "axis" not in given or not isinstance(given["axis"], ast.Constant) or own is None:
        return []
    axis = given["axis"].value
    if not isinstance(axis, int):
        return []
    head, text = ast.unparse(e.func), ast.unparse(e.args[0])
    other = axis - len(own) if axis >= 0 else axis + len(own)
    keep = ", keepdims=True" if "keepdims" in given else ""
    found = [f"{head}({text}, axis={other}{keep})"]
    if keep:
        place = axis % len(own)
        found.append(f"np.expand_dims({head}({text}, axis={axis}), {place})")
        if place == len(own) - 1:
            found.append(f"{head}({text}, axis={axis})[..., None]")
    if head == "np.sum" and len(own) == 2 and not keep:
        found.append(f"np.einsum('ij->{'ij'[1 - axis % 2]}', {text})")
    if head == "np.mean":
        found.append(f"np.sum({text}, axis={axis}{keep}) / {own[axis]}")
    return found


def _product(e: ast.expr, shape: Shapes) -> list[str]:
    pair = _binary(e, ast.MatMult)
    if pair is None:
        return []
    x, y = _text(*pair)
    a, b = shape(pair[0]), shape(pair[1])
    if a is None or b is None:
        return []
    found = [f"np.matmul({x}, {y})", f"np.dot({x}, {y})"]
    marks = {
        (1, 1): "i,i->",
        (2, 1): "ij,j->i",
        (1, 2): "i,ij->j",
        (2, 2): "ij,jk->ik",
    }.get((len(a), len(b)))
    if marks:
        found.append(f"np.einsum('{marks}', {x}, {y})")
    if (len(a), len(b)) == (2, 1):
        found += [f"np.sum({x} * {y}, axis=1)", f"{y} @ {x}.T", f"({x} @ {y}[:, None])[:, 0]"]
    if (len(a), len(b)) == (2, 2):
        found += [f"({y}.T @ {x}.T).T"]
    if (len(a), len(b)) == (1, 1):
        found += [f"np.sum({x} * {y})"]
    return found


def _larger(e: ast.expr, shape: Shapes) -> list[str]:
    for name, other in (("maximum", "minimum"), ("minimum", "maximum")):
        if args := _call(e, name, 2):
            if shape(args[0]) == shape(args[1]) or () in (shape(args[0]), shape(args[1])):
                x, y = _text(*args)
                return [f"np.{name}({y}, {x})", f"-np.{other}(-{x}, -{y})"]
    return []


def _moved(e: ast.expr, shape: Shapes) -> list[str]:
    """A name as a view of a view."""
    if not isinstance(e, ast.Name):
        return []
    own, x = shape(e), e.id
    if not own:
        return []
    sizes = ", ".join(map(str, own))
    found = [f"{x}.T.T", f"{x}[None][0]", f"{x}.reshape({sizes})", f"{x}[::-1][::-1]"]
    if len(own) == 1:
        found += [f"{x}[:, None][:, 0]"]
    return found


def _at(e: ast.expr, index: ast.expr) -> str:
    return ast.unparse(ast.Subscript(e, index, ast.Load()))


def _picked(e: ast.expr, _: Shapes) -> list[str]:
    """f(x)[k] as f(x[k])."""
    if isinstance(e, ast.Subscript):
        for name in ("log", "exp", "sqrt", "tanh"):
            if args := _call(e.value, name):
                return [f"np.{name}({_at(args[0], e.slice)})"]
        if isinstance(e.value, ast.UnaryOp) and isinstance(e.value.op, ast.USub):
            return [f"-{_at(e.value.operand, e.slice)}"]
    return []


LAWS: Mapping[str, Law] = {
    "order": _order,
    "difference": _difference,
    "quotient": _quotient,
    "negative": _negative,
    "distributed": _distributed,
    "square": _square,
    "root": _root,
    "exponential": _exponential,
    "logarithm": _logarithm,
    "less one": _less_one,
    "logistic": _logistic,
    "tanh": _tanh,
    "normalised": _normalised,
    "sum": _sum,
    "mean": _mean,
    "kept": _kept,
    "product": _product,
    "larger": _larger,
    "moved": _moved,
    "picked": _picked,
}
