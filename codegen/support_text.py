"""Functions out of :mod:`codegen.support`, as text for an emitted module.

A function comes with those that it calls, in the order of the files, and with the module's own
names for NumPy, for the helpers and for the tables.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from codegen.names import PUBLIC, Names

FILES = ("kernels", "validation", "vectors", "checking")

#: Tables of the emitted module that the functions refer to.
TABLES = (
    "_TRAINABLE",
    "_INPUT_DTYPES",
    "_INPUT_FACTS",
    "_EXAMPLES",
    "_SIZES",
    "_SEEN",
)

#: What a module may import, in order: what helpers call it → module and name in it.
IMPORTS = {
    "math": ("math", ""),
    "np": ("numpy", ""),
    "sliding_window_view": ("numpy.lib.stride_tricks", "sliding_window_view"),
    "erf": ("scipy.special", "erf"),
    "erfc": ("scipy.special", "erfc"),
    "erfcx": ("scipy.special", "erfcx"),
}

#: Those that are SciPy's.
SCIPY = frozenset({"erf", "erfc", "erfcx"})


@dataclass(frozen=True, slots=True)
class SupportFunction:
    """A function's text, and the names that it refers to."""

    text: str
    refers: frozenset[str]


@cache
def support_functions() -> dict[str, SupportFunction]:
    """All support functions by name, in order."""
    result = {}
    for file in FILES:
        source = files("codegen.support").joinpath(f"{file}.py").read_text(encoding="utf-8")
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef) and node.name not in PUBLIC:
                text = ast.get_source_segment(source, node)
                assert text is not None
                names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
                result[node.name] = SupportFunction(text, frozenset(names))
    return result


def needed(wanted: Iterable[str]) -> list[str]:
    """The support functions, imports and tables that the wanted ones need, themselves included."""
    known = support_functions()
    found: set[str] = set()
    stack = list(wanted)
    while stack:
        name = stack.pop()
        if name not in found and (name in known or name in IMPORTS or name in TABLES):
            found.add(name)
            stack.extend(known[name].refers if name in known else ())
    return [name for name in (*IMPORTS, *TABLES, *known) if name in found]


def import_lines(names: Names, wanted: Iterable[str]) -> list[str]:
    """The import statements that the wanted functions need; NumPy's is always among them."""
    found = {"np", *needed(wanted)}
    lines = []
    for name, (module, part) in IMPORTS.items():
        if name in found:
            code = f"from {module} import {part}" if part else f"import {module}"
            own = names.own(name)
            lines.append(code if own == (part or module) else f"{code} as {own}")
            if name == "math":  # the standard library stands apart
                lines.append("")
    return lines


def function_texts(names: Names, wanted: Iterable[str]) -> list[str]:
    """The text of the wanted functions and those that they need."""
    known = support_functions()
    everything = {*known, *IMPORTS, *TABLES}
    return [
        renamed(
            known[name].text,
            {
                other: names.own(other)
                for other in sorted((known[name].refers & everything) | {name})
            },
        )
        for name in needed(wanted)
        if name in known
    ]


def renamed(source: str, names: dict[str, str]) -> str:
    """Python text with some of its variables renamed; attributes keep their names.

    Names inside f-strings are not seen (they are tokens from Python 3.12 on only), so support
    functions put nothing there but locals.
    """
    changed = {old: new for old, new in names.items() if old != new}
    if not changed:
        return source
    lines = source.splitlines(keepends=True)
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    for position in reversed(range(len(tokens))):
        token = tokens[position]
        after_dot = position and tokens[position - 1].string == "."
        if token.type == tokenize.NAME and token.string in changed and not after_dot:
            row, start = token.start[0] - 1, token.start[1]
            line = lines[row]
            lines[row] = line[:start] + changed[token.string] + line[start + len(token.string) :]
    return "".join(lines)
