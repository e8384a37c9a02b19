"""What printers need to know of the module around an expression, and what they ask it to hold.

A printer never writes the name of NumPy, of a helper function or of a dtype itself: the user may
have a variable of that name.  It asks the style, which knows what those are called in this module
and in this function, and which keeps account of what was used.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from codegen.expression import Level, Text, count, number_text
from codegen.names import Names
from symdiff.expr.node import Node
from symdiff.expr.shapes import Shape, Size, size_names

#: The characters of a number that may have a name which says what it is.
_SHORT = 5


@dataclass(slots=True)
class ModuleUse:
    """What the functions of a module have asked for: helpers, constant arrays, numbers.

    ``numbers`` are those that stand in arrays without axes, by the arrays' names.
    """

    helpers: dict[str, None] = field(default_factory=dict)
    constants: dict[Node, str] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Style:
    """The surroundings of the expressions of one function.

    ``dtype`` is the module's float dtype; ``names`` the names of the module itself; ``dtype_name``
    the local that holds the dtype of the arguments, which is not the module's where it checks
    itself in float64.
    """

    dtype: str
    names: Names
    dtype_name: str
    use: ModuleUse
    sizes: dict[str, None] = field(default_factory=dict)
    follows_dtype: bool = False

    @property
    def numpy(self) -> str:
        """What the module calls NumPy."""
        return self.names.own("np")

    def call(self, function: str, *args: str) -> str:
        """A call of a NumPy function."""
        return f"{self.numpy}.{function}({', '.join(args)})"

    def helper(self, function: str, *args: str) -> str:
        """A call of one of the module's own helper functions, which is then in the module."""
        self.use.helpers.setdefault(function)
        return f"{self.names.own(function)}({', '.join(args)})"

    def constant(self, node: Node) -> str:
        """The module's name for a constant array."""
        if node not in self.use.constants:
            self.use.constants[node] = self.names.fresh(f"_CONSTANT_{len(self.use.constants) + 1}")
        return self.use.constants[node]

    def number_in_array(self, literal: str) -> Text | None:
        """The module's array of a number, if it is a short one, and the same in every dtype.

        A call takes an array in half the time that it takes a Python number, and where arrays
        are small that is half of the call.
        """
        value = float(literal)
        if not math.isfinite(value):
            return None
        text = number_text(value, self.dtype)
        if len(text.code) > _SHORT or float(np.float32(text.code)) != float(text.code):
            return None
        name = self.names.own("_" + text.code.replace("-", "minus_").replace(".", "_"))
        self.use.numbers.setdefault(name, text.code)
        return Text(name)

    def dtype_code(self, dtype: str) -> str:
        """An expression for the dtype."""
        if dtype == self.dtype:
            self.follows_dtype = True
            return self.dtype_name
        return f"{self.numpy}.{'bool_' if dtype == 'bool' else dtype}"

    def scalar_code(self, dtype: str, value: str) -> str:
        """A NumPy scalar of the dtype."""
        code = self.dtype_code(dtype)
        return f"{code}.type({value})" if dtype == self.dtype else f"{code}({value})"

    def number(self, value: float, dtype: str) -> Text:
        """A literal."""
        if math.isnan(value):
            return Text(f"{self.numpy}.nan")
        if math.isinf(value):
            code = f"{self.numpy}.inf"
            return Text(code) if value > 0 else Text(f"-{code}", Level.UNARY)
        return number_text(value, dtype)

    def size(self, size: Size) -> Text:
        """A size as a Python number."""
        for name in sorted(size_names(size)):
            self.sizes.setdefault(name)
        return size_expression(size)

    def range(self, span: str) -> str:
        """What a loop runs over: Python's own ranges, unless the user has a thing of that name."""
        return self.call("arange", span) if self.names.has("range") else f"range({span})"

    def shape(self, shape: Shape) -> str:
        """A shape as a Python tuple, or as a number where there is one axis."""
        if len(shape) == 1:
            return self.size(shape[0]).code
        return "(" + ", ".join(self.size(size).code for size in shape) + ")"


def size_expression(size: Size) -> Text:
    """A size as Python text over its names; exact quotients are floor divisions."""
    if isinstance(size, (int, str)):
        code = str(size)
        return Text(code, Level.UNARY if code.startswith("-") else Level.ATOM)
    import sympy

    if size.is_Integer or size.is_Symbol:
        return size_expression(int(size) if size.is_Integer else str(size))
    if isinstance(size, sympy.floor):
        above, below = size.args[0].as_numer_denom()
        return _quotient(size_expression(above), size_expression(below))
    above, below = size.as_numer_denom()
    if below != 1:
        return _quotient(size_expression(above), size_expression(below))
    if isinstance(size, sympy.Add):
        terms = sorted(size.as_ordered_terms(), key=lambda t: t.could_extract_minus_sign())
        code = size_expression(terms[0]).at(Level.SUM)
        for term in terms[1:]:
            negative = term.could_extract_minus_sign()
            part = size_expression(-term if negative else term)
            code += (" - " if negative else " + ") + part.at(Level.MATMUL)
        return Text(code, Level.SUM, len(terms))
    if isinstance(size, sympy.Mul):
        parts = [size_expression(factor) for factor in size.as_ordered_factors()]
        code = " * ".join(part.at(Level.UNARY) for part in parts)
        return Text(code, Level.PRODUCT, count(parts))
    if isinstance(size, sympy.Pow) and size.exp.is_Integer:
        base, exponent = size_expression(size.base), int(size.exp)
        return Text(f"{base.at(Level.ATOM)}**{exponent}", Level.POWER, count([base]))
    raise ValueError(f"the size {size} has no form in Python")


def _quotient(above: Text, below: Text) -> Text:
    code = f"{above.at(Level.PRODUCT)} // {below.at(Level.UNARY)}"
    return Text(code, Level.PRODUCT, count([above, below]))
