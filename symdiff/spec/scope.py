"""What a formula may name, and how the value of one of its expressions is planned."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from symdiff.nn import FUNCTIONS
from symdiff.spec.calls import UserFunction
from symdiff.spec.values import BROKEN, Value

CONSTANTS: Mapping[str, float] = {"pi": math.pi, "e": math.e, "inf": math.inf}
#: Prefixes of functions, which are dropped.
MODULES = ("np", "numpy", "jnp", "jax.numpy", "jax.nn", "scipy.special")
ROOTS = frozenset(module.split(".")[0] for module in MODULES)


@dataclass
class Scope:
    """The names that a formula may use.

    ``values`` are nodes, numbers, sizes and BROKEN; ``functions`` the user's own; ``kinds`` says
    what a name is ("input", "parameter", ...); ``below`` are the names that are declared only
    further down.  ``used`` collects the names that were read.
    """

    values: Mapping[str, Value]
    functions: Mapping[str, UserFunction | Value] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    below: frozenset[str] = frozenset()
    used: set[str] = field(default_factory=set)

    def known(self) -> list[str]:
        """Every name that stands for a value."""
        return [*self.values, *CONSTANTS]

    def callable_names(self) -> list[str]:
        """Every name that can be called."""
        return [*self.functions, *FUNCTIONS]

    def describe(self, name: str) -> str:
        """``the parameter W1``."""
        return f"{self.kinds.get(name, 'name')} {name!r}"


@dataclass
class Plan:
    """How an expression's value is made: from the values of its parts."""

    parts: Sequence[ast.AST]
    make: Callable[..., Value]


def strict(make: Callable[..., Value]) -> Callable[..., Value]:
    """``make``, but BROKEN if any part is."""

    def checked(*values: Value) -> Value:
        return BROKEN if any(value is BROKEN for value in values) else make(*values)

    return checked
