"""Node: one interned, immutable value of the graph.

Nodes are equal when they are the same object: construction looks the new node up by its digest,
a hash of the operation, the attributes and the inputs' digests.  The digest depends on nothing
but structure, so it is the same in every process, and it is the one sort key of canonical forms:
comparing two nodes never walks a graph.  (128 bits: two different nodes of a graph of a million
share one with probability below 2**-88.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from symdiff.expr.fact_rules import infer
from symdiff.expr.interned import Interned
from symdiff.expr.near import near_of
from symdiff.expr.ops import OPS
from symdiff.expr.shapes import Shape, shape_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from symdiff.expr.facts import Facts

Attributes = tuple[tuple[str, Any], ...]

_TABLE: Interned[Node] = Interned()


class Node:
    """A tensor-valued expression: an operation, its inputs and its attributes.

    ``shape`` is a tuple of ``ndim`` sizes, ``dtype`` one of float32, float64, int64, bool;
    ``facts`` is what is known of the values; ``is_view`` says that the node is a contraction of
    one operand that sums nothing (but axes of size 1); ``near`` which operations stand near below
    (:mod:`symdiff.expr.near`).  All are derived once, at construction.  Build nodes with the
    functions of :mod:`symdiff.expr.build`; :meth:`make` keeps no normal form.
    """

    __slots__ = (
        "__weakref__",
        "_attributes",
        "digest",
        "dtype",
        "facts",
        "inputs",
        "is_view",
        "ndim",
        "near",
        "op",
        "shape",
    )

    op: str
    inputs: tuple[Node, ...]
    shape: Shape
    ndim: int
    dtype: str
    facts: Facts
    is_view: bool
    near: int
    digest: bytes
    _attributes: dict[str, Any]

    @staticmethod
    def make(op: str, inputs: Sequence[Node] = (), **attributes: Any) -> Node:
        """The interned node of exactly these parts.

        Raises ShapeError where the operation's shape rule refuses the inputs.
        """
        record = OPS[op]
        inputs = tuple(inputs)
        ordered = tuple([(name, attributes[name]) for name in record.attributes])
        if len(attributes) != len(ordered):
            unknown = [name for name in attributes if name not in record.attributes]
            raise TypeError(f"{op} has no attribute {', '.join(unknown)}")
        text = repr((op, ordered)).encode()
        whole = b"".join([text, *[node.digest for node in inputs]])
        key = hashlib.blake2b(whole, digest_size=16).digest()
        found = _TABLE.get(key)
        if found is not None:
            return found
        node = object.__new__(Node)
        put = object.__setattr__
        put(node, "op", op)
        put(node, "inputs", inputs)
        put(node, "_attributes", attributes)
        put(node, "digest", key)
        shape = record.shape(inputs, attributes)
        put(node, "shape", shape)
        put(node, "ndim", len(shape))
        put(node, "dtype", record.dtype(inputs, attributes))
        view = op == "contract" and len(inputs) == 1 and _sums_nothing(inputs[0], attributes)
        put(node, "is_view", view)
        put(node, "near", near_of(op, inputs, view))
        put(node, "facts", infer(node))
        return _TABLE.put(key, node)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"nodes are immutable: cannot set {name}")

    @property
    def attributes(self) -> Attributes:
        """The attributes by name, in the operation's order."""
        return tuple((name, self._attributes[name]) for name in OPS[self.op].attributes)

    def attr(self, name: str) -> Any:
        """The attribute of that name; KeyError if the operation has none such."""
        try:
            return self._attributes[name]
        except KeyError:
            raise KeyError(f"{self.op} has no attribute {name}") from None

    @property
    def value(self) -> NDArray[Any]:
        """A constant's array in its dtype."""
        return self.exact_value.astype(self.dtype)

    @property
    def exact_value(self) -> NDArray[Any]:
        """A constant's array as it was given: floats in float64 whatever the dtype; read-only."""
        stored = self.dtype if self.dtype in ("int64", "bool") else "float64"
        return np.frombuffer(self.attr("data"), dtype=stored).reshape(self.attr("shape"))

    def __repr__(self) -> str:
        name = f" {self.attr('name')}" if self.op in ("input", "parameter") else ""
        return f"<{self.op}{name} {shape_text(self.shape)} {self.dtype} {self.digest.hex()[:6]}>"

    # Operators build nodes; comparisons for equality stay identity, so that nodes are dict keys.

    __array_ufunc__ = None  # NumPy arrays on the left defer to the reflected operators

    def __add__(self, other: Any) -> Node:
        return _call("add", self, other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Node:
        return _call("subtract", self, other)

    def __rsub__(self, other: Any) -> Node:
        return _call("subtract", other, self)

    def __mul__(self, other: Any) -> Node:
        return _call("multiply", self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Node:
        return _call("divide", self, other)

    def __rtruediv__(self, other: Any) -> Node:
        return _call("divide", other, self)

    def __pow__(self, other: Any) -> Node:
        return _call("power", self, other)

    def __rpow__(self, other: Any) -> Node:
        return _call("power", other, self)

    def __neg__(self) -> Node:
        return _call("negative", self)

    def __pos__(self) -> Node:
        return self

    def __matmul__(self, other: Any) -> Node:
        return _call("matmul", self, other)

    def __rmatmul__(self, other: Any) -> Node:
        return _call("matmul", other, self)

    def __lt__(self, other: Any) -> Node:
        return _call("less", self, other)

    def __le__(self, other: Any) -> Node:
        return _call("less_equal", self, other)

    def __gt__(self, other: Any) -> Node:
        return _call("greater", self, other)

    def __ge__(self, other: Any) -> Node:
        return _call("greater_equal", self, other)

    def __getitem__(self, key: Any) -> Node:
        return _call("index", self, key)

    def __iter__(self) -> Any:
        raise TypeError("a node is not iterable; index it")

    def __bool__(self) -> bool:
        raise TypeError("a node has no truth value; its value is known only when it is run")

    @property
    def T(self) -> Node:
        """All axes reversed."""
        return _call("transpose", self)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Node:
        """See :func:`symdiff.expr.build.sum`."""
        return _call("sum", self, axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Node:
        """See :func:`symdiff.expr.build.mean`."""
        return _call("mean", self, axis, keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Node:
        """See :func:`symdiff.expr.build.max`."""
        return _call("max", self, axis, keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Node:
        """See :func:`symdiff.expr.build.min`."""
        return _call("min", self, axis, keepdims)

    def reshape(self, *shape: Any) -> Node:
        """See :func:`symdiff.expr.build.reshape`."""
        return _call("reshape", self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> Node:
        """See :func:`symdiff.expr.build.transpose`."""
        if len(axes) == 1 and not isinstance(axes[0], int):
            return _call("transpose", self, axes[0])
        return _call("transpose", self, axes or None)

    def swapaxes(self, a: int, b: int) -> Node:
        """See :func:`symdiff.expr.build.swapaxes`."""
        return _call("swapaxes", self, a, b)

    def dot(self, other: Any) -> Node:
        """See :func:`symdiff.expr.build.dot`."""
        return _call("dot", self, other)


def _sums_nothing(x: Node, attributes: dict[str, Any]) -> bool:
    """Whether a contraction of one operand is a view."""
    (names,), out = attributes["indices"], attributes["out"]
    return all(name in out or size == 1 for name, size in zip(names, x.shape, strict=True))


def _call(name: str, *args: Any) -> Node:
    from symdiff.expr import build

    result: Node = getattr(build, name)(*args)
    return result


_CALLED = {
    "constant": "a constant",
    "contract": "a product",
    "mul": "a product",
    "add": "a sum",
    "pow": "a power",
    "final": "a last state",
    "stacked": "a sequence of states",
    **dict.fromkeys(("lt", "le", "gt", "ge", "eq", "ne"), "a comparison"),
}


def describe(node: Node) -> str:
    """How messages name a node: a leaf by the user's name, anything else by its operation."""
    if node.op in ("input", "parameter"):
        return str(node.attr("name"))
    if node.op == "cast":
        return describe(node.inputs[0])
    if node.op in _CALLED:
        return _CALLED[node.op]
    return f"a {node.op}" if node.op[0] not in "aeiou" else f"an {node.op}"


def with_shape(node: Node) -> str:
    """``x of shape (batch, 64)``, for messages."""
    return f"{describe(node)} of shape {shape_text(node.shape)}"
