"""symdiff: a symbol-to-symbol differentiation compiler.

A network goes in (a TOML spec, formulas, or Python calls); its graph of tensor expressions is
differentiated by appending nodes, simplified, and printed as one readable NumPy module.

Names are loaded when they are first used, so that ``symdiff --help`` imports neither NumPy nor
SymPy.  Beside the names below, every function that a formula may call is here: ``sd.softmax``,
``sd.cross_entropy``, ``sd.einsum`` ... (:data:`symdiff.nn.FUNCTIONS`).
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from symdiff.calculus.curvature import hessian, hvp, jacobian
    from symdiff.calculus.forward import jvp
    from symdiff.calculus.per_example import per_example_sq_norms
    from symdiff.calculus.reverse import grad, gradients, vjp
    from symdiff.compiler import compile
    from symdiff.derive import derive
    from symdiff.errors import SpecError
    from symdiff.expr.build import cast, constant, default_dtype, input, parameter
    from symdiff.expr.evaluate import evaluate
    from symdiff.expr.node import Node
    from symdiff.expr.scan import scan
    from symdiff.expr.shapes import ShapeError
    from symdiff.facade import simplify
    from symdiff.inspect.show import show, to_latex
    from symdiff.inspect.sympy_form import from_sympy, to_sympy
    from symdiff.spec.load import load

_HOMES = {
    "symdiff.calculus.curvature": ("hessian", "hvp", "jacobian"),
    "symdiff.calculus.forward": ("jvp",),
    "symdiff.calculus.per_example": ("per_example_sq_norms",),
    "symdiff.calculus.reverse": ("grad", "gradients", "vjp"),
    "symdiff.compiler": ("compile",),
    "symdiff.derive": ("derive",),
    "symdiff.errors": ("SpecError",),
    "symdiff.expr.build": ("cast", "constant", "default_dtype", "input", "parameter"),
    "symdiff.expr.evaluate": ("evaluate",),
    "symdiff.expr.node": ("Node",),
    "symdiff.expr.scan": ("scan",),
    "symdiff.expr.shapes": ("ShapeError",),
    "symdiff.inspect.show": ("show", "to_latex"),
    "symdiff.inspect.sympy_form": ("from_sympy", "to_sympy"),
    "symdiff.facade": ("simplify",),
    "symdiff.spec.load": ("load",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Node",
    "ShapeError",
    "SpecError",
    "__version__",
    "cast",
    "compile",
    "constant",
    "default_dtype",
    "derive",
    "evaluate",
    "from_sympy",
    "grad",
    "gradients",
    "hessian",
    "hvp",
    "input",
    "jacobian",
    "jvp",
    "load",
    "parameter",
    "per_example_sq_norms",
    "scan",
    "show",
    "simplify",
    "to_latex",
    "to_sympy",
    "vjp",
]


class _Facade(ModuleType):
    """A package whose functions keep their names beside submodules that are called the same.

    The import of ``symdiff.simplify`` binds the submodule here, whoever asks for it, and would
    hide the function from then on.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOME_OF and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Facade


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        value = getattr(importlib.import_module(_HOME_OF[name]), name)
        globals()[name] = value
        return value
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from symdiff.nn import FUNCTIONS

    if name in FUNCTIONS:
        globals()[name] = FUNCTIONS[name]
        return FUNCTIONS[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    from symdiff.nn import FUNCTIONS

    return sorted({*__all__, *FUNCTIONS})
