"""Peers that are installed: other libraries on the same models, parameters and data.

Each module has ``LIBRARY``, the package that it needs, and ``calls(case)``: for each contender's
name its calls by function.  What a peer has no form for, or would fill the memory with, is left
out.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.benchmarks.contenders import Case

Calls = Mapping[str, Mapping[str, Callable[[], Any]]]

#: The package that a peer needs, and the module here that has it.
PEERS = {
    "jax": "jax_peer",
    "torch": "torch_peer",
    "autograd": "autograd_peer",
    "pytensor": "pytensor_peer",
    "opacus": "opacus_peer",
}


def installed(name: str) -> bool:
    """Whether a peer's package can be imported."""
    return importlib.util.find_spec(name) is not None


def peers(case: Case, wanted: tuple[str, ...] = ()) -> dict[str, Mapping[str, Callable[[], Any]]]:
    """The calls of each peer that is installed (and wanted, if any are), by contender."""
    found: dict[str, Mapping[str, Callable[[], Any]]] = {}
    for package, module in PEERS.items():
        if installed(package) and (not wanted or package in wanted):
            found.update(importlib.import_module(f"{__name__}.{module}").calls(case))
    return found
