"""symdiff: a symbol-to-symbol differentiation compiler.

A network goes in (a TOML spec, formulas, or Python calls); its graph of tensor expressions is
differentiated by appending nodes, simplified, and printed as one readable NumPy module.

Names are loaded when they are first used, so that ``symdiff --help`` imports neither NumPy nor
SymPy.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"
