"""The emitted module: what it is made from, and how its text is put together."""

from __future__ import annotations

from codegen.costs import ProgramCost, program_cost
from codegen.description import ModuleDescription, surroundings
from codegen.functions import FunctionBody, function_program
from codegen.header import header_text, main_text, table_lines
from codegen.kernel import kernel_text, write_kernel
from codegen.lines import INDENT, quoted
from codegen.names import FUNCTIONS
from codegen.parameters import Parameter, init_text, vector_texts
from codegen.program import Program
from codegen.public import public_text
from codegen.selfcheck import check_texts
from codegen.support_text import SCIPY, function_texts, import_lines
from codegen.verify import verify
from codegen.writer import Written

__all__ = [
    "FunctionBody", "ModuleDescription", "Parameter", "cost_of", "emit", "program_of", "written_of",
]  # fmt: skip

#: The class that keeps a function's buffers between calls.
WORKSPACE = '''class Workspace(dict):
    """Arrays that functions compute in, kept between calls: pass one as ``work``.

    What a call returns stands in them, and the next call of that function overwrites it.  One
    workspace serves one thread.
    """'''


def program_of(description: ModuleDescription, function: str) -> Program:
    """The program of one function: every array that it makes, with its shape.

    Raises KeyError if the description has no such function.
    """
    if function in description.programs:
        return description.programs[function]
    return function_program(surroundings(description), description.functions[function])


def cost_of(description: ModuleDescription, function: str) -> ProgramCost:
    """What a call of one function costs, as its kernel is printed.

    Raises KeyError if the description has no such function.
    """
    return program_cost(written_of(description, function))


def written_of(description: ModuleDescription, function: str) -> Written:
    """The kernel of one function, as lines and as what they compute; errors as in cost_of."""
    kernel = write_kernel(surroundings(description), function, description.functions[function])
    return kernel.written.written


def emit(description: ModuleDescription) -> str:
    """The module's text: deterministic, and checked by :func:`codegen.verify.verify`.

    Raises ValueError for what no module can hold, EmissionError if the text does not check (a
    fault of this package).
    """
    around = surroundings(description)
    blocks = [] if description.plain else [WORKSPACE]
    blocks += [init_text(around.names, description.parameters, description.dtype)]
    for function in FUNCTIONS:
        if function in description.functions:
            body = description.functions[function]
            blocks.append(public_text(around, function, body))
            blocks.append(kernel_text(around, function, body))
        elif function in description.unavailable:
            blocks.append(_unavailable_text(function, description.unavailable[function]))
    blocks += vector_texts(around.names, description.parameters)
    checks, check_helpers = check_texts(description, around)
    helpers = [*around.use.helpers, "_flatten", "_unflatten", *check_helpers]
    helpers += ["_cast"] if description.dtype != "float64" else []
    head = [
        header_text(description, around, not SCIPY.isdisjoint(helpers)),
        "\n".join(import_lines(around.names, helpers)),
        "\n".join(table_lines(description, around)),
    ]
    texts = [
        "\n\n".join(head),
        *blocks,
        *function_texts(around.names, helpers),
        *checks,
        main_text(around),
    ]
    text = "\n\n\n".join(texts) + "\n"
    verify(text)
    return text


def _unavailable_text(function: str, reason: str) -> str:
    """A function that says why it cannot be had, however it is called."""
    lines = [
        f"def {function}(*args, **kwargs):",
        f'{INDENT}"""Not to be had: the message says why."""',
        f"{INDENT}raise NotImplementedError({quoted(f'{function}: {reason}')})",
    ]
    return "\n".join(lines)
