"""Lines of text: wrapped comments, long assignments broken, blocks moved right.

Long lines are broken at spaces inside parentheses, which Python allows anywhere.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable

WIDTH = 88
INDENT = "    "


def quoted(text: str) -> str:
    """A string literal in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def comment_lines(text: str, indent: str = "") -> list[str]:
    """A comment, wrapped."""
    return textwrap.wrap(
        " ".join(text.split()),
        WIDTH - len(INDENT),
        initial_indent=f"{indent}# ",
        subsequent_indent=f"{indent}#     ",
        break_long_words=False,
        break_on_hyphens=False,
    )


#: What stands before the value of an assignment, in place or not.
_ASSIGNMENT = re.compile(r".+? [-+*/]?= ")
#: What no line ends within.
_STRING = re.compile(r'"[^"]*"')


def broken(code: str, width: int = WIDTH - len(INDENT)) -> list[str]:
    """An assignment or a call as lines of at most ``width`` where it has spaces to break at."""
    if len(code) <= width:
        return [code]
    found = _ASSIGNMENT.match(code)
    head = found[0] if found else ""
    value = code[len(head) :]
    begin = _whole_bracket(value)
    if begin:
        inner = _wrapped(value[begin:-1], width)
        return [f"{head}{value[:begin]}", *indented(inner), value[-1]]
    lines: list[str] = []
    for term in _terms(value):
        if lines and len(lines[-1]) + 1 + len(term) <= width - len(INDENT):
            lines[-1] += f" {term}"
        else:
            lines.append(term)
    if max(map(len, lines)) > width - len(INDENT):
        lines = _wrapped(value, width)
    return [f"{head}(", *indented(lines), ")"]


def _wrapped(text: str, width: int) -> list[str]:
    glued = _STRING.sub(lambda found: found[0].replace(" ", "\0"), text)
    lines = textwrap.wrap(
        glued, width - len(INDENT), break_long_words=False, break_on_hyphens=False
    )
    return [line.replace("\0", " ") for line in lines]


def _whole_bracket(value: str) -> int:
    """Behind the bracket that holds all the rest: 2 for ``f(a, b)``; 0 if there is none."""
    begin, depth = 0, 0
    for place, character in enumerate(value):
        if character in "([{":
            if not depth and begin:
                return 0
            begin = begin or place + 1
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif not depth and (begin or character == " "):
            return 0
    return begin


def _terms(value: str) -> list[str]:
    """The terms of a sum, each with the sign before it."""
    terms, depth = [""], 0
    for word in value.split(" "):
        if depth == 0 and word in ("+", "-"):
            terms.append(word)
        else:
            terms[-1] += f" {word}" if terms[-1] else word
        depth += sum(word.count(c) for c in "([{") - sum(word.count(c) for c in ")]}")
    return terms


def indented(lines: Iterable[str], depth: int = 1) -> list[str]:
    """The lines, moved right; empty ones stay empty."""
    return [INDENT * depth + line if line else "" for line in lines]
