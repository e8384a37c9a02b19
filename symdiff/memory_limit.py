"""``--memory LIMIT``: functions that compute values again so as to hold no more than so many bytes.

The limit is on the arrays that a call makes, results included, at the sizes that are given; open
sizes that are not are taken as the planner takes them (:class:`symdiff.simplify.cost.Nominal`),
and the header says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from codegen.description import ModuleDescription
from codegen.within import Figures, Limited, limited
from symdiff.errors import Fault, SpecError, did_you_mean, listing
from symdiff.simplify.cost import Nominal
from symdiff.spec.model import Model

UNITS = {
    "": 1, "b": 1,
    "kb": 10**3, "mb": 10**6, "gb": 10**9,
    "kib": 2**10, "mib": 2**20, "gib": 2**30,
}  # fmt: skip


def byte_count(text: str | int) -> int:
    """A number of bytes, as a number or as text: 64MB, 1.5 GiB.

    Raises ValueError for what is neither, or not positive.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", str(text).strip())
    if found is None or found[2].lower() not in UNITS:
        raise ValueError(f"memory: {text!r} is no number of bytes, such as 64MB or 1.5GiB")
    count = int(float(found[1]) * UNITS[found[2].lower()])
    if not count:
        raise ValueError("memory: the limit is 0 bytes")
    return count


def within_memory(
    description: ModuleDescription, model: Model, memory: str | int, at: Mapping[str, int]
) -> ModuleDescription:
    """The description with each function within the limit, and a note about it.

    Raises SpecError where ``at`` names what is no open size, and where a function cannot be
    brought within the limit: it says how little was reached.
    """
    try:
        limit = byte_count(memory)
    except ValueError as error:
        raise SpecError(model.source, [Fault(1, 1, f"--{error}")]) from None
    unknown = [name for name in at if name not in model.free_sizes]
    if unknown:
        known = model.free_sizes
        hints = [f"--at: no open size {name!r}{did_you_mean(name, known)}" for name in unknown]
        raise SpecError(model.source, [Fault(1, 1, hint) for hint in hints])
    sizes = sizes_of(model, at)
    where = _where(sizes, at)
    found = limited(description, limit, sizes)
    if found.unreachable:
        faults = [
            f"--memory: {each.function} cannot be had within {_bytes(limit)}{where}; the least "
            f"that was reached is {_bytes(each.least)}"
            for each in found.unreachable
        ]
        raise SpecError(model.source, [Fault(1, 1, text) for text in faults])
    notes = [*found.description.notes, *_notes(found, limit, where)]
    return replace(found.description, notes=notes)


def sizes_of(model: Model, at: Mapping[str, int]) -> dict[str, int]:
    """A number for each open size: the given one, or the nominal one."""
    nominal = Nominal(at)
    return {name: nominal[name] for name in model.free_sizes}


def _notes(found: Limited, limit: int, where: str) -> list[str]:
    note = f"The arrays that a call makes take no more than {_bytes(limit)}{where}."
    return [note, *(_told(name, *figures) for name, figures in found.changed.items())]


def _told(function: str, before: Figures, after: Figures) -> str:
    more = 100 * (after.flops - before.flops) / before.flops if before.flops else 0.0
    return (
        f"For that {function} computes values again: {_bytes(after.peak)} instead of "
        f"{_bytes(before.peak)}, for {more:.1f} % more flops."
    )


def _where(sizes: Mapping[str, int], given: Mapping[str, int]) -> str:
    """At which sizes, and which of them nobody gave."""
    if not sizes:
        return ""
    said = ", ".join(f"{name} = {value}" for name, value in sizes.items())
    assumed = [name for name in sizes if name not in given]
    hint = f" ({listing(assumed, 'and')} assumed: --at sets sizes)" if assumed else ""
    return f" at {said}{hint}"


def _bytes(count: int) -> str:
    return f"{count:,} bytes".replace(",", " ")
