"""The order in which terms and factors are written: by their look, never by a graph's hashes."""

from __future__ import annotations

import re

from symdiff.inspect.layout import Doc, Name, Number, Product, Relation, Transpose
from symdiff.inspect.text import TEXT

Key = tuple[tuple[int, int, str], ...]


def text_key(doc: Doc) -> Key:
    """By text, with numbers inside it by value: x2 before x10."""
    parts = re.findall(r"\d+|\D+", TEXT.draw(doc))
    return tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts)


def term_key(rank: int, doc: Doc) -> tuple[int, int, Key]:
    """Higher rank first, then compound terms, multiples of names, names; by text; numbers last."""
    match doc:
        case Number():
            return (1, 0, ())
        case Name() | Transpose(Name()):
            bare = 2
        case Product((Number(), Name())):
            bare = 1
        case _:
            bare = 0
    return (-rank, bare, text_key(doc))


def factor_key(doc: Doc) -> tuple[int, Key]:
    """Comparisons, which behind a name would look like its index, names, the rest; by text."""
    kind = {Relation: 0, Name: 1}.get(type(doc), 2)
    return (kind, text_key(doc))
