"""What can be said more shortly once it is known who reads what: rewrites of single steps."""

from __future__ import annotations

from dataclasses import replace

from codegen.program import Program, Step
from codegen.views import DROP, NEW


def tidy(program: Program) -> tuple[Step, ...]:
    """The steps, with ``a.sum(axis=1)[:, None]`` as ``a.sum(axis=1, keepdims=True)``.

    Only where nothing else reads the sum, which is then a step that nothing reads.
    """
    readers = program.readers()
    results = set(program.results.values())
    steps: list[Step] = []
    for step in program.steps:
        source = program.steps[step.args[0]] if step.args else step
        alone = len(readers[source.dest]) == 1 and source.dest not in results
        if step.action == "index" and alone and _restores(step, source):
            details = (*source.details, ("keepdims", True))
            step = replace(step, action=source.action, args=source.args, details=details)
        steps.append(step)
    return tuple(steps)


def _restores(step: Step, source: Step) -> bool:
    """Whether an indexing puts back the very axes that a reduction took."""
    if source.action not in ("sum", "max") or dict(source.details).get("keepdims"):
        return False
    items: tuple[str, ...] = step.detail("items")
    new = tuple(axis for axis, item in enumerate(items) if item == NEW)
    return DROP not in items and new == tuple(sorted(source.detail("axes")))
