"""The pytest file that ``compile --tests`` writes beside a module."""

from __future__ import annotations

from codegen.description import ModuleDescription


def emit_tests(description: ModuleDescription, module_file: str) -> str:
    raise NotImplementedError
