"""Arrays that count the arithmetic done on them: what an emitted function does as it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import numpy as np


@dataclass
class Count:
    """Flops by the convention of codegen.costs, and products of matrices."""

    flops: int = 0
    products: int = 0


class Counting(np.ndarray):
    """An array whose arithmetic is counted in ``count``, which all arrays share."""

    count = Count()

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kw: Any) -> Any:
        plain = [_plain(x) for x in inputs]
        kw = {key: _plain(value) for key, value in kw.items()}
        result = getattr(ufunc, method)(*plain, **kw)
        Counting.count.flops += _flops(ufunc, method, plain, result, kw.get("axis", -1))
        if ufunc is np.matmul and all(np.ndim(x) > 1 for x in plain):
            Counting.count.products += 1
        return _counted(result)

    def dot(self, other: Any, out: Any = None) -> Any:  # of arrays, no function is asked
        plain = [_plain(x) for x in (self, other)]
        result = plain[0].dot(plain[1], out=_plain(out))
        Counting.count.flops += 2 * np.size(result) * int(plain[0].shape[-1])
        Counting.count.products += all(np.ndim(x) > 1 for x in plain)
        return _counted(result)

    def __array_function__(self, func: Any, types: Any, args: Any, kw: Any) -> Any:
        plain, kw = _plain(args), {key: _plain(value) for key, value in kw.items()}
        result = func(*plain, **kw)
        if func is np.tensordot:
            summed = [plain[0].shape[axis] for axis in kw["axes"][0]]
            Counting.count.flops += 2 * np.size(result) * int(np.prod(summed))
            Counting.count.products += all(np.ndim(x) > 1 for x in plain[:2])
        elif func is np.sum:
            Counting.count.flops += np.size(plain[0])
        elif func in (np.where, np.outer):
            Counting.count.flops += np.size(result)
        elif func is np.vdot:
            Counting.count.flops += 2 * np.size(plain[0])
        return _counted(result)


def _plain(x: Any) -> Any:
    if isinstance(x, (list, tuple)):
        return type(x)(_plain(y) for y in x)
    return x.view(np.ndarray) if isinstance(x, Counting) else x


def _counted(x: Any) -> Any:
    return np.asarray(x).view(Counting) if isinstance(x, (np.ndarray, np.generic)) else x


def _flops(ufunc: Any, method: str, inputs: list[Any], result: Any, axis: Any) -> int:
    if ufunc is np.matmul:
        return 2 * np.size(result) * int(inputs[0].shape[-1])
    if ufunc is np.vecdot:
        return 2 * np.size(result) * int(inputs[0].shape[axis])
    if ufunc is np.positive:  # a copy
        return 0
    if method == "reduce":
        return int(np.size(inputs[0]))
    return int(np.size(inputs[2] if method == "at" else result))


def counted(function: Callable[..., Any], *arguments: Any) -> Count:
    """What a call does; arguments may be arrays, dicts of arrays and numbers."""

    def wrapped(x: Any) -> Any:
        if isinstance(x, dict):
            return {key: wrapped(value) for key, value in x.items()}
        return _counted(x)

    def making(make: Callable[..., Any]) -> Callable[..., Any]:
        """NumPy does not ask arguments of another kind where there are none."""
        return lambda *args, **kw: _counted(make(*args, **kw))

    makers = {name: making(getattr(np, name)) for name in ("empty", "zeros", "ones", "full")}
    Counting.count = Count()
    with patch.multiple(np, **makers):
        function(*(wrapped(x) for x in arguments))
    return Counting.count
