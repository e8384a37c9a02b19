"""Reads a document back as mathematics: what the printed notation says, computed with NumPy."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np

from symdiff.inspect import layout as d

COMPARE = {
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
}


def read(doc: d.Doc, values: Mapping[str, Any]) -> Any:
    """The value of a document under the notation of ``symdiff.inspect.text``."""

    def value(part: d.Doc) -> Any:
        return read(part, values)

    match doc:
        case d.Name("I"):
            return np.eye(3)
        case d.Name(text):
            return np.asarray(values[text])
        case d.Number(number):
            return number
        case d.Literal(rows):
            return np.array([value(row) for row in rows])
        case d.Sum(terms):
            return reduce(np.add, [-value(t) if minus else value(t) for minus, t in terms])
        case d.Product(factors, True, scalars):
            front = reduce(np.multiply, [value(f) for f in factors[:scalars]], 1.0)
            return front * _chain([value(f) for f in factors[scalars:]])
        case d.Product(factors) | d.Elementwise(factors):
            return reduce(np.multiply, [value(f) for f in factors])
        case d.Quotient(top, bottom):
            return value(top) / value(bottom)
        case d.Power(base, exponent):
            return value(base) ** value(exponent)
        case d.Root(body):
            return np.sqrt(value(body))
        case d.Transpose(base):
            inner = value(base)
            return inner[None, :] if inner.ndim == 1 else inner.T
        case d.Norm(body):
            return np.sqrt(np.sum(value(body) ** 2))
        case d.Magnitude(body):
            return np.abs(value(body))
        case d.Total(body, ()):
            return np.sum(value(body))
        case d.Total(body, over):
            return np.sum(value(body), axis=tuple(int(o.removeprefix("axis")) for o in over))
        case d.IndexSum(letters, factors):
            free = "".join(sorted({c for _, own in factors for c in own} - set(letters)))
            spec = ",".join(own for _, own in factors)
            return np.einsum(f"{spec}->{free}", *(value(f) for f, _ in factors))
        case d.Subscript(base, items):
            return eval_index(value(base), [i if isinstance(i, str) else value(i) for i in items])
        case d.Relation(left, sign, right):
            return COMPARE[sign](value(left), value(right)).astype(float)
        case d.Cases(condition, then, otherwise):
            return np.where(value(condition) != 0, value(then), value(otherwise))
        case d.Apply("transpose", (x,), (("", axes),)):
            return np.transpose(value(x), ast.literal_eval(axes))
        case d.Apply("broadcast", (x,), (("", shape),)):
            return np.broadcast_to(value(x), ast.literal_eval(shape))
        case d.Apply("zeros" | "ones" as function, (), (("", shape),)):
            return getattr(np, function)(ast.literal_eval(shape))
        case d.Apply(function, arguments, ()):
            return getattr(np, function)(*(value(a) for a in arguments))
    raise NotImplementedError(doc)


def _chain(parts: list[Any]) -> Any:
    """A product of matrices, in which vectors are columns; what is 1 wide is a vector again."""
    column = parts[-1].ndim == 1
    result = reduce(np.matmul, [p[:, None] if p.ndim == 1 else p for p in parts])
    result = result[..., 0] if column else result
    row = parts[0].ndim == 2 and parts[0].shape[0] == 1
    return result[0] if row else result


def eval_index(array: Any, items: list[Any]) -> Any:
    """NumPy's indexing by written items."""
    plain = {":": slice(None), "None": None}
    return array[tuple(plain[i] if i in plain else int(i) for i in items)]
