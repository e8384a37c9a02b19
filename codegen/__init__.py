"""The printing house: graphs, already differentiated and simplified, to one readable NumPy module.

The way is graph → program of steps (:mod:`codegen.program`) → what is inlined
(:mod:`codegen.inlining`) → slots (:mod:`codegen.memory`) → lines (:mod:`codegen.writer`) → module
(:mod:`codegen.module`).  Nothing here knows of derivatives; :func:`emit` is given all functions as
graphs.
"""

from codegen.building import build_program
from codegen.check import emit_tests
from codegen.costs import ProgramCost
from codegen.load import load_module
from codegen.module import (
    FunctionBody,
    ModuleDescription,
    Parameter,
    cost_of,
    emit,
    program_of,
)
from codegen.program import Program, Step
from codegen.verify import EmissionError

__all__ = [
    "EmissionError",
    "FunctionBody",
    "ModuleDescription",
    "Parameter",
    "Program",
    "ProgramCost",
    "Step",
    "build_program",
    "cost_of",
    "emit",
    "emit_tests",
    "load_module",
    "program_of",
]
