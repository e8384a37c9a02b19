"""A small module for one formula: functions of its inputs, each one expression of the graph.

The printing is that of network modules (:mod:`codegen.module`); what differs is only that there
are no parameters and no kernels: each function looks at its arguments and computes.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from codegen.building import build_program
from codegen.functions import FunctionBody, Surroundings
from codegen.header import constant_lines, facts_note, input_lines, shape_lines
from codegen.kernel import dtype_line, size_lines
from codegen.lines import INDENT, WIDTH, indented
from codegen.names import Locals, Names
from codegen.public import input_check_lines, public_signature
from codegen.style import ModuleUse, Style
from codegen.support_text import (
    IMPORTS,
    SCIPY,
    TABLES,
    function_texts,
    import_lines,
    support_functions,
)
from codegen.verify import verify
from codegen.writer import write_body
from symdiff.expr.node import Node


@dataclass(frozen=True, slots=True)
class FormulaFunction:
    """One function: what it computes, and its docstring."""

    result: Node
    doc: str


@dataclass(frozen=True, slots=True)
class FormulaDescription:
    """What the module is made from.

    All functions take all ``inputs``, in order.  ``title`` and ``notes`` stand in the header;
    ``names`` says what other values are to be called.
    """

    title: str
    inputs: Mapping[str, Node]
    functions: Mapping[str, FormulaFunction]
    notes: Sequence[str] = ()
    names: Mapping[Node, str] = field(default_factory=dict)
    dtype: str = "float64"


def emit_formula(description: FormulaDescription) -> str:
    """The module's text: deterministic, and checked by :func:`codegen.verify.verify`.

    Raises EmissionError if the text does not check (a fault of this package).
    """
    names = Names({*description.inputs, *description.names.values(), *_sizes(description)})
    own = (*IMPORTS, "sizes", "dtype", "check_facts", *TABLES, *support_functions())
    for name in own:
        names.own(name)
    use = ModuleUse()
    around = Surroundings(
        description.dtype, description.inputs, {}, description.names, {}, names, use
    )
    functions = [
        _function_text(around, name, function) for name, function in description.functions.items()
    ]
    tables = [*shape_lines(around), *(input_lines(around) if description.inputs else [])]
    head = [
        _header_text(description, facts_note(around), not SCIPY.isdisjoint(use.helpers)),
        "\n".join(import_lines(names, use.helpers)),
        "\n".join([*tables, *constant_lines(around)]),
    ]
    texts = ["\n\n".join(head), *functions, *function_texts(names, use.helpers)]
    text = "\n\n\n".join(texts) + "\n"
    verify(text)
    return text


def _sizes(description: FormulaDescription) -> set[str]:
    return {str(s) for x in description.inputs.values() for s in x.shape if not isinstance(s, int)}


def _header_text(description: FormulaDescription, more: Sequence[str], needs_scipy: bool) -> str:
    needs = "NumPy 2.0 or later" + (", and SciPy (for erf)" if needs_scipy else "")
    lines = [description.title, "", f"Needs Python 3.11 or later and {needs}."]
    notes = [*description.notes, *more]
    lines += ["", *notes] if notes else []
    wrapped = [
        textwrap.fill(" ".join(line.split()), WIDTH, subsequent_indent="  ") for line in lines
    ]
    text = "\n".join(wrapped).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'"""{text}\n"""'


def _function_text(around: Surroundings, name: str, function: FormulaFunction) -> str:
    names, inputs = around.names, list(around.inputs)
    program = build_program(
        {"0": function.result},
        around.dtype,
        [*around.inputs.values(), *around.preferred],
        short=True,
    )
    style = Style(around.dtype, names, names.own("dtype"), around.use)
    leaves = {node: key for key, node in around.inputs.items()}
    local = Locals({*names.owned(), *inputs, *around.sizes})
    written = write_body(program, style, local, leaves, around.preferred, {}, {"0": "result"})
    body = FunctionBody(function.result)
    lines = [f"{names.own('sizes')} = {{}}"] if inputs else []
    lines += [*input_check_lines(around, inputs), *dtype_line(around, style, program, leaves)]
    lines += [*size_lines(around, body, style), *written.guards, *written.lines]
    lines.append(f"return {written.results['0']}")
    doc = function.doc.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return "\n".join(
        [
            f'@{names.own("np")}.errstate(all="ignore")',
            *public_signature(around, name, inputs),
            f'{INDENT}"""{doc}"""',
            *indented(lines),
        ]
    )
