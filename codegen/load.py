"""Emitted text as a module in memory, with its source where tracebacks look for it.

After attrs, which registers generated source in :mod:`linecache` in the same way.
"""

from __future__ import annotations

import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import linecache
from types import ModuleType

from codegen.verify import verify


class _TextLoader(importlib.abc.InspectLoader):
    """Gives the import system a text that no file holds."""

    def __init__(self, source: str, filename: str) -> None:
        self.source = source
        self.filename = filename

    def get_source(self, fullname: str) -> str:
        return self.source

    def get_code(self, fullname: str) -> object:  # type: ignore[override]
        return self.source_to_code(self.source, self.filename)

    def is_package(self, fullname: str) -> bool:
        return False


def load_module(source: str, name: str) -> ModuleType:
    """The module that the text is, loaded without touching the disk or ``sys.modules``.

    Raises EmissionError for text that :func:`codegen.verify.verify` does not know.
    """
    verify(source)
    mark = hashlib.sha256(source.encode()).hexdigest()[:12]
    filename = f"<symdiff {name} {mark}>"
    loader = _TextLoader(source, filename)
    spec = importlib.machinery.ModuleSpec(name, loader, origin=filename)
    module = importlib.util.module_from_spec(spec)
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    loader.exec_module(module)
    return module
