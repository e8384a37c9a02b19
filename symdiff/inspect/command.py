"""``symdiff inspect`` as a function: from a spec to the text that is printed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from symdiff.inspect.model import Inspection, inspect_model
from symdiff.spec.load import load
from symdiff.spec.write import equations_text

FORMATS: Mapping[str, Callable[[Inspection, bool], str]] = {
    "text": lambda inspection, trace: inspection.to_text(trace),
    "latex": lambda inspection, trace: inspection.to_latex(),
    "json": lambda inspection, trace: inspection.to_json(),
}


def inspect_spec(
    spec: str | os.PathLike[str],
    wrt: Sequence[str] = (),
    of: str = "backward",
    form: str = "text",
    *,
    raw: bool = False,
    trace: bool = False,
    equations: bool = False,
) -> str:
    """What the command prints; arguments are its options.

    Raises SpecError for a faulty spec, for names that there are not, and where a model has no
    per-example norms.
    """
    model = load(spec)
    if equations:
        return equations_text(model)
    return FORMATS[form](inspect_model(model, wrt, of, raw), trace)
