"""What the tests of whole systems share: modules compiled once, and the loop over examples."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import symdiff

Array: TypeAlias = NDArray[Any]

EXAMPLES = Path(__file__).parents[2] / "examples"


@cache
def compiled(spec: str | Path, *functions: str) -> Any:
    """The emitted module of a spec: its text, or its file; a name is a file of examples/.

    ``functions`` names those to emit (default: all).
    """
    is_name = isinstance(spec, str) and "\n" not in spec
    return symdiff.compile(EXAMPLES / spec if is_name else spec, functions=functions or None)


def example_gradients(
    module: Any, params: dict[str, Array], *data: Array
) -> list[dict[str, Array]]:
    """Each example's own gradient, from m calls of backward on batches of 1.

    For modules without a regularizer, all of whose inputs have the example axis.
    """
    m = len(data[0])
    return [module.backward(params, *(x[j : j + 1] for x in data))[1] for j in range(m)]


def descend(
    module: Any, params: dict[str, Array], data: tuple[Array, ...], steps: int, rate: float
) -> float:
    """Gradient descent on all examples at once; params are changed in place.  The loss after."""
    for _ in range(steps):
        _, grads = module.backward(params, *data)
        for name, grad in grads.items():
            params[name] = params[name] - rate * grad
    return float(module.loss(params, *data))


def error(ours: Any, theirs: Any) -> float:
    """‖a − b‖ / max(1, ‖b‖), as the other tests measure it; shapes must agree."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    return float(np.linalg.norm(ours - theirs) / max(1.0, float(np.linalg.norm(theirs))))
