"""The top of an emitted module, its docstring and its tables, and the few lines at its end."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from codegen.description import ModuleDescription
from codegen.expression import number_text
from codegen.functions import Surroundings, declared_facts, with_facts
from codegen.lines import INDENT, WIDTH, indented, quoted
from codegen.names import FUNCTIONS
from codegen.selfcheck import checking_sizes
from symdiff.expr.node import Node


def facts_note(around: Surroundings) -> list[str]:
    """What the header says of the facts that are looked at on demand."""
    names = with_facts(around.inputs)
    keyword = around.names.own("check_facts")
    said = f"With {keyword}=True, functions refuse data of which what is declared is not true"
    return [f"{said}: {', '.join(names)}."] if names else []


def header_text(description: ModuleDescription, around: Surroundings, needs_scipy: bool) -> str:
    """The module's docstring."""
    have = [name for name in FUNCTIONS if name in description.functions]
    needs = "NumPy 2.0 or later" + (", and SciPy (for erf)" if needs_scipy else "")
    paragraphs = [
        [f"{description.name}: {', '.join(have)}."],
        [
            f"Written by symdiff {description.version} from {description.source}.",
            f"Needs Python 3.11 or later and {needs}.",
            f"To check its derivatives: python {description.name}.py --check",
        ],
        [*description.notes, *facts_note(around)],
        [f"Left out: {name}: {reason}" for name, reason in description.unavailable.items()],
    ]
    blocks = [
        "\n".join(
            textwrap.fill(" ".join(line.split()), WIDTH, subsequent_indent="  ") for line in lines
        )
        for lines in paragraphs
        if lines
    ]
    text = "\n\n".join(blocks).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'"""{text}\n"""'


def table_lines(description: ModuleDescription, around: Surroundings) -> list[str]:
    """The module's constants: what it was made from, shapes, facts, constant arrays."""
    parameters = {name: _shape_code(node) for name, node in around.parameters.items()}
    sizes = checking_sizes(description)
    trainable = _tuple([quoted(name) for name in description.trainable])
    return [
        f"NAME = {quoted(description.name)}",
        f"DTYPE = {quoted(description.dtype)}",
        f"SYMDIFF_VERSION = {quoted(description.version)}",
        f"SPEC_SHA256 = {quoted(description.spec_sha256)}",
        *shape_lines(around),
        *_dict_lines("PARAMETERS", parameters),
        *_wrapped(around.names.own("_TRAINABLE"), trainable),
        *input_lines(around),
        *_wrapped(around.names.own("_EXAMPLES"), _tuple([quoted(a) for a in description.rows])),
        *_dict_lines(around.names.own("_SIZES"), {n: str(size) for n, size in sizes.items()}),
        f"{around.names.own('_SEEN')} = {{}}",
        *constant_lines(around),
    ]


def shape_lines(around: Surroundings) -> list[str]:
    """The table of the inputs' shapes."""
    return _dict_lines("INPUTS", {name: _shape_code(x) for name, x in around.inputs.items()})


def input_lines(around: Surroundings) -> list[str]:
    """The tables that arguments are looked at by: the inputs' dtypes, and their facts."""
    own = around.names.own
    dtypes = {name: quoted(node.dtype) for name, node in around.inputs.items()}
    facts = {name: declared_facts(node) for name, node in around.inputs.items()}
    known = {name: _fact_dict(around, pairs) for name, pairs in facts.items() if pairs}
    return [
        *_dict_lines(own("_INPUT_DTYPES"), dtypes),
        *_dict_lines(own("_INPUT_FACTS"), known),
    ]


def constant_lines(around: Surroundings) -> list[str]:
    """The constant arrays that the functions have asked for, and the numbers in arrays."""
    constants = around.use.constants.items()
    lines = [line for node, name in constants for line in _constant_lines(around, name, node)]
    if around.use.numbers:
        lines.append(
            "# NumPy takes a number in an array in half the time that a Python number takes."
        )
    np = around.names.own("np")
    for name, code in sorted(around.use.numbers.items(), key=lambda item: float(item[1])):
        lines.append(f"{name} = {np}.array({code}, DTYPE)")
    return lines


def _shape_code(node: Node) -> str:
    return _tuple([_literal(size) for size in node.shape])


def _literal(value: Any) -> str:
    return quoted(value) if isinstance(value, str) else repr(value)


def _tuple(items: Sequence[str]) -> str:
    return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"


def _fact_dict(around: Surroundings, facts: Mapping[str, Any]) -> str:
    def code(value: Any) -> str:
        if isinstance(value, tuple):
            return _tuple([_number(around, float(number)) for number in value])
        return _literal(value)

    return "{" + ", ".join(f"{quoted(key)}: {code(value)}" for key, value in facts.items()) + "}"


def _number(around: Surroundings, value: float, dtype: str = "float64") -> str:
    np = around.names.own("np")
    if math.isfinite(value):
        return number_text(value, dtype).code
    return f"{np}.nan" if math.isnan(value) else f"{'-' if value < 0 else ''}{np}.inf"


def _dict_lines(name: str, entries: Mapping[str, str]) -> list[str]:
    items = [f"{quoted(key)}: {value}" for key, value in entries.items()]
    line = f"{name} = {{{', '.join(items)}}}"
    if len(line) <= WIDTH:
        return [line]
    return [f"{name} = {{", *indented(f"{item}," for item in items), "}"]


def _wrapped(name: str, value: str) -> list[str]:
    if len(name) + len(value) + 3 <= WIDTH:
        return [f"{name} = {value}"]
    inner = textwrap.wrap(value[1:-1], WIDTH - len(INDENT), break_long_words=False)
    return [f"{name} = {value[0]}", *indented(inner), value[-1]]


def _constant_lines(around: Surroundings, name: str, node: Node) -> list[str]:
    """A constant array: its numbers in a row, and the shape where that is not a row."""
    np, array = around.names.own("np"), node.value
    flat = array.reshape(-1)
    numbers = [
        str(bool(x)) if node.dtype == "bool" else _number(around, float(x), node.dtype)
        for x in flat
    ]
    if node.dtype == "int64":
        numbers = [str(int(x)) for x in flat]
    dtype = "bool" if node.dtype == "bool" else node.dtype
    end = f"], {quoted(dtype)})"
    if array.ndim != 1:
        end += f".reshape({_tuple([str(n) for n in array.shape])})"
    line = f"{name} = {np}.array([{', '.join(numbers)}{end}"
    if len(line) <= WIDTH:
        return [line]
    inner = textwrap.wrap(", ".join(numbers), WIDTH - len(INDENT))
    return [f"{name} = {np}.array([", *indented(inner), end]


def main_text(around: Surroundings) -> str:
    """What the module does when it is run."""
    return "\n".join(
        [
            'if __name__ == "__main__":',
            f"{INDENT}import sys",
            "",
            f'{INDENT}if sys.argv[1:] != ["--check"]:',
            f'{INDENT * 2}sys.exit(f"usage: python {{sys.argv[0]}} --check")',
            f"{INDENT}sys.exit(0 if {around.names.own('_self_check')}() else 1)",
        ]
    )
