"""Writing files whole: aside first, then renamed, so that none is ever left half-written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def write_together(files: Mapping[Path, str]) -> None:
    """Write every file, or none: all are written aside before the first is renamed.

    UTF-8 and ``\\n``.  An existing file keeps its permissions.  Raises OSError naming the file.
    """
    aside: list[tuple[str, Path]] = []
    try:
        for path, text in files.items():
            if path.is_dir():
                raise IsADirectoryError(21, "is a directory", str(path))
            try:
                handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
            except OSError as error:
                raise type(error)(error.errno, error.strerror, str(path)) from None
            aside.append((name, path))
            with open(handle, "w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
            os.chmod(name, _mode(path))
        for name, path in aside:
            os.replace(name, path)
    finally:
        for name, _ in aside:
            if os.path.exists(name):
                os.unlink(name)


def _mode(path: Path) -> int:
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
