"""One reading of a spec: its text as TOML, and the faults and warnings found so far.

A line that is no TOML is blanked and the rest is read all the same, so that one run finds the
other faults too; the name on that line is then ``lost``, and whatever needs it is not reported.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from typing import Any

from symdiff.errors import Fault, SpecError
from symdiff.spec.toml_positions import Key, Place, Positions

_MOST_SYNTAX_FAULTS = 20
_AT = re.compile(r"(?s)(.*) \(at (?:line (\d+), column (\d+)|end of document)\)$")
_KEY = re.compile(r"\s*[\"']?([^\W\d]\w*)[\"']?\s*[.=]")


class Reading:
    """The text of a spec with its faults.

    ``data`` is the TOML's value, ``lost`` the names on lines that could not be read.  Raises
    SpecError at once where nothing further can be told.
    """

    def __init__(self, source: str, text: str) -> None:
        self.source = source
        self.faults: list[Fault] = []
        self.warnings: list[tuple[Place, str]] = []
        self.lost: set[str] = set()
        self.data, text = self._parse(text)
        self.positions = Positions(text)

    def fault(self, path: Sequence[Key], message: str) -> None:
        """A fault at a key."""
        self._note(self.positions.key(path), message)

    def fault_value(self, path: Sequence[Key], message: str) -> None:
        """A fault at a key's value."""
        self._note(self.positions.value(path), message)

    def fault_inside(self, path: Sequence[Key], offset: int, message: str) -> None:
        """A fault at a character of a string."""
        self._note(self.positions.inside(path, offset), message)

    def warn(self, path: Sequence[Key], message: str) -> None:
        """A warning at a key."""
        self.warnings.append((self.positions.key(path), message))

    def warning_lines(self) -> tuple[str, ...]:
        """One line of text a warning, in the order of the file."""
        return tuple(
            f"{self.source}:{line}:{column}: warning: {message}"
            for (line, column), message in sorted(self.warnings)
        )

    def stop_at_faults(self) -> None:
        """Raise SpecError if there are faults."""
        if self.faults:
            raise SpecError(self.source, self.faults)

    def _note(self, place: Place, message: str) -> None:
        self.faults.append(Fault(*place, message))

    def _parse(self, text: str) -> tuple[dict[str, Any], str]:
        lines = text.split("\n")
        for _ in range(_MOST_SYNTAX_FAULTS):
            try:
                return tomllib.loads("\n".join(lines)), "\n".join(lines)
            except tomllib.TOMLDecodeError as fault:
                if not self._blank(lines, str(fault)):
                    break
            except RecursionError:
                self._note((1, 1), "the file is nested too deeply")
                break
        raise SpecError(self.source, self.faults)

    def _blank(self, lines: list[str], said: str) -> bool:
        """Note tomllib's fault and blank its line; whether reading on makes sense."""
        match = _AT.match(said)
        what, row, column = match.groups() if match else (said, None, None)
        row_number = int(row) if row else len(lines)
        line = lines[row_number - 1] if row_number <= len(lines) else ""
        place = int(column) if column else len(line) + 1
        if what.startswith("Cannot"):  # a key given twice: tomllib points behind the value
            place = len(line) - len(line.lstrip()) + 1
        self._note((row_number, place), f"this is not TOML: {what[:1].lower()}{what[1:]}")
        key = _KEY.match(line)
        if row is None or key is None:
            return False
        if not what.startswith("Cannot overwrite"):
            self.lost.add(key[1])
        lines[row_number - 1] = ""
        return True
