"""Where each key and value of a TOML text stands.

The values are tomllib's; tree-sitter's tree of the same text says where they are.  Lines and
columns count characters from 1 (tree-sitter counts bytes from 0).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Key = str | int
Path = tuple[Key, ...]
Place = tuple[int, int]

_STRINGS = frozenset({"string", "bare_key", "quoted_key"})
_SHORT_ESCAPES = frozenset('btnfr"\\e')


@dataclass(frozen=True)
class Entry:
    """The place of a key (or of a list's item), the place of its value, and the value's text."""

    key: Place
    value: Place
    raw: str


class Positions:
    """The entries of a TOML text by path, such as ("inputs", "x", "shape", 0)."""

    def __init__(self, text: str) -> None:
        self._lines = text.encode("utf-8", "replace").split(b"\n")
        self._entries: dict[Path, Entry] = {}
        self._tables: dict[Path, int] = {}
        self._read(text)

    def __contains__(self, path: object) -> bool:
        return path in self._entries

    def entry(self, path: Sequence[Key]) -> Entry:
        """The entry at the path, or at the nearest path above it that has one."""
        wanted = tuple(path)
        while wanted and wanted not in self._entries:
            wanted = wanted[:-1]
        return self._entries.get(wanted, Entry((1, 1), (1, 1), ""))

    def key(self, path: Sequence[Key]) -> Place:
        """Where the key stands."""
        return self.entry(path).key

    def value(self, path: Sequence[Key]) -> Place:
        """Where the value begins."""
        return self.entry(path).value

    def inside(self, path: Sequence[Key], offset: int) -> Place:
        """Where the character at ``offset`` of a string's value stands in the text."""
        entry = self.entry(path)
        places = [*string_places(entry.raw)]
        if not places:
            return entry.value
        row, column = places[min(max(offset, 0), len(places) - 1)]
        line, start = entry.value
        return line + row, column + (start if row == 0 else 1)

    def _place(self, point: Any) -> Place:
        line = self._lines[point.row] if point.row < len(self._lines) else b""
        return point.row + 1, len(line[: point.column].decode("utf-8", "replace")) + 1

    def _read(self, text: str) -> None:
        import tree_sitter
        import tree_sitter_toml

        language = tree_sitter.Language(tree_sitter_toml.language())
        tree = tree_sitter.Parser(language).parse(text.encode("utf-8", "replace"))
        stack: list[tuple[Path, Any]] = []
        for node in tree.root_node.children:
            if node.type == "pair":
                stack.append(((), node))
            elif node.type in ("table", "table_array_element"):
                base = self._header(node)
                stack.extend((base, child) for child in node.children if child.type == "pair")
        while stack:
            base, node = stack.pop()
            if node.type == "pair":
                named = [child for child in node.named_children if child.type != "comment"]
                if len(named) < 2:  # what tree-sitter makes of text that is no TOML
                    continue
                keys, value = _keys(named[0]), named[1]
                key_place = self._place(node.start_point)
                for depth in range(1, len(keys)):
                    self._put((*base, *keys[:depth]), key_place, value)
                base = (*base, *keys)
                self._put(base, key_place, value)
            else:
                value = node
                self._put(base, self._place(node.start_point), value)
            if value.type == "inline_table":
                stack.extend((base, child) for child in value.named_children)
            elif value.type == "array":
                items = [child for child in value.named_children if child.type != "comment"]
                stack.extend(((*base, i), child) for i, child in enumerate(items))

    def _put(self, path: Path, key: Place, value: Any) -> None:
        raw = value.text.decode("utf-8", "replace") if value.type == "string" else ""
        self._entries.setdefault(path, Entry(key, self._place(value.start_point), raw))

    def _header(self, node: Any) -> Path:
        """The path that a ``[table]`` or ``[[table]]`` line opens."""
        named = [child for child in node.named_children if child.type.endswith("_key")]
        keys = _keys(named[0]) if named else ()
        base: Path = ()
        for depth, key in enumerate(keys):
            base = (*base, key)
            last = depth == len(keys) - 1
            if node.type == "table_array_element" and last:
                self._tables[base] = self._tables.get(base, -1) + 1
            place = self._place(node.start_point)
            self._entries.setdefault(base, Entry(place, place, ""))
            if base in self._tables:
                base = (*base, self._tables[base])
                self._entries.setdefault(base, Entry(place, place, ""))
        return base


def _keys(node: Any) -> tuple[str, ...]:
    """The parts of a bare, quoted or dotted key (dotted keys nest to the left)."""
    parts: list[str] = []
    stack = [node]
    while stack:
        node = stack.pop()
        if node.type == "dotted_key":
            stack.extend(reversed(node.named_children))
            continue
        raw = node.text.decode("utf-8", "replace")
        if raw[:1] in ("'", '"'):
            try:
                raw = str(tomllib.loads(f"key = {raw}")["key"])
            except tomllib.TOMLDecodeError:
                raw = raw[1:-1]
        parts.append(raw)
    return tuple(parts)


def string_places(raw: str) -> Iterator[tuple[int, int]]:
    """For each character of a TOML string's value, and for its end, the (row, column) in ``raw``.

    Rows and columns count from 0 at the opening quote; escapes and trimmed line ends are stepped
    over as TOML 1.0 reads them.
    """
    if raw[:1] not in ("'", '"'):
        return
    quote = raw[:3] if raw[:3] in ("'''", '"""') else raw[0]
    basic = raw[0] == '"'
    at, row, start = len(quote), 0, 0
    end = max(len(raw) - len(quote), at)

    def line_end(position: int) -> int:
        """The position behind a line break that begins at ``position``; the position if none."""
        if raw.startswith("\r\n", position):
            return position + 2
        return position + 1 if raw.startswith("\n", position) else position

    if len(quote) == 3 and line_end(at) != at:
        at = line_end(at)
        row, start = row + 1, at
    while at < end:
        place = (row, at - start)
        if basic and raw[at] == "\\":
            after = at + 1
            if raw[after : after + 1] in _SHORT_ESCAPES:
                at = after + 1
            elif raw[after : after + 1] in ("u", "U"):
                at = after + (5 if raw[after] == "u" else 9)
            else:  # a line-ending backslash swallows blanks up to the next character
                at = after
                while at < end and raw[at] in " \t\r\n":
                    if raw[at] == "\n":
                        row, start = row + 1, at + 1
                    at += 1
                continue
        else:
            behind = line_end(at)
            at = max(behind, at + 1)
            if behind != place[1] + start:
                row, start = row + 1, at
        yield place
    yield (row, at - start)
