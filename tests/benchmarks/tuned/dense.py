"""Dense networks by hand: products into kept buffers, activations in place, HVPs stacked.

The R-operator of Pearlmutter (1994) pairs every value with its tangent; kept as the two halves of
one array, a value and its tangent go through a weight in one product: [h; Rh] W, [d; Rd] W', and
[Rh; h]' [d; Rd] is the whole Hessian-vector block of a weight.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_GELU_SLOPE = np.float32(math.sqrt(2 / math.pi))
_GELU_CUBE = np.float32(0.044715)


@dataclass(frozen=True)
class Layer:
    """h + f(h W + b) if ``residual``, else f(h W + b)."""

    activation: str | None
    residual: bool = False


class Activation:
    """f, f' and f'' times something, in buffers of its own for one layer's rows and width."""

    def __init__(self, kind: str | None, shape: tuple[int, int]) -> None:
        self.kind = kind
        self.zeros = np.zeros(shape, np.float32)
        self.mask = np.empty(shape, bool)
        self.slope = np.empty(shape, np.float32)
        self.bend = np.empty(shape, np.float32)
        self.work = np.empty(shape, np.float32)
        self.tanh = np.empty(shape, np.float32)

    def forward(self, z: Array, h: Array) -> None:
        """h = f(z), and what the derivatives need."""
        if self.kind == "relu":
            np.maximum(z, self.zeros, out=h)
        elif self.kind == "tanh":
            np.tanh(z, out=h)
        elif self.kind == "gelu":
            work, t = self.work, self.tanh
            np.multiply(z, z, out=work)
            work *= _GELU_CUBE * _GELU_SLOPE
            work += _GELU_SLOPE
            np.multiply(work, z, out=t)
            np.tanh(t, out=t)
            np.add(t, np.float32(1), out=h)
            h *= z
            h *= np.float32(0.5)

    def prepare(self, z: Array, h: Array, second: bool) -> None:
        """f'(z) in ``slope`` or ``mask``; f''(z) in ``bend`` if ``second``."""
        if self.kind == "relu":
            np.greater(h, self.zeros, out=self.mask)
        elif self.kind == "tanh":
            np.multiply(h, h, out=self.slope)
            np.subtract(np.float32(1), self.slope, out=self.slope)
            if second:
                np.multiply(h, self.slope, out=self.bend)
                self.bend *= np.float32(-2)
        elif self.kind == "gelu":
            self._prepare_gelu(z, second)

    def _prepare_gelu(self, z: Array, second: bool) -> None:
        # u = a z + a k z^3; h' = (1 + t)/2 + z t'/2, t' = (1 - t^2) u', u' = a + 3 a k z^2
        slope, work, t = self.slope, self.work, self.tanh
        # work holds a + a k z^2 of the forward pass: u' = 3 work - 2 a
        work *= np.float32(3)
        work -= np.float32(2) * _GELU_SLOPE
        np.multiply(t, t, out=slope)
        np.subtract(np.float32(1), slope, out=slope)
        if second:
            # h'' = t' + z t''/2, t'' = -2 t t' u' + (1 - t^2) u'', u'' = 6 a k z
            bend = self.bend
            np.multiply(slope, z, out=bend)
            bend *= np.float32(6) * _GELU_SLOPE * _GELU_CUBE
            slope *= work
            work *= t
            work *= slope
            work *= np.float32(-2)
            bend += work
            bend *= z
            bend *= np.float32(0.5)
            bend += slope
        else:
            slope *= work
        slope *= z
        slope += t
        slope += np.float32(1)
        slope *= np.float32(0.5)

    def scale(self, d: Array) -> None:
        """d *= f'(z)."""
        if self.kind == "relu":
            d *= self.mask
        elif self.kind is not None:
            d *= self.slope


class Dense:
    """A chain of dense layers; bind() gives the functions on one set of arrays."""

    def __init__(self, layers: Sequence[Layer], loss: str, l2: float = 0.0) -> None:
        self.layers, self.loss, self.l2 = layers, loss, np.float32(l2)

    def bind(
        self,
        params: Mapping[str, Array],
        v: Mapping[str, Array],
        x: Array,
        y: Array,
        max_norm: float,
    ) -> dict[str, Callable[[], Any]]:
        """The functions, by the names of the table, on these arrays."""
        return _Bound(self, params, v, x, y, np.float32(max_norm)).functions()


class _Pair:
    """An array and its tangent, as the two halves of one buffer."""

    def __init__(self, rows: int, width: int) -> None:
        self.both = np.zeros((2 * rows, width), np.float32)
        self.value, self.tangent = self.both[:rows], self.both[rows:]


class _BoundLayer:
    """One layer's parameters and buffers; ``source`` is what it reads, ``out`` what it makes."""

    def __init__(self, layer: Layer, W: Array, b: Array, V: Array, c: Array, source: _Pair) -> None:
        self.layer, self.W, self.b, self.V, self.c = layer, W, b, V, c
        rows, width = source.value.shape[0], W.shape[1]
        self.source = source
        self.z = _Pair(rows, width)
        self.f = _Pair(rows, width) if layer.activation else self.z
        self.out = _Pair(rows, width) if layer.residual else self.f
        # Cotangents of z, of what the layer makes, and products on their way into a sum.
        self.dz, self.dout = _Pair(rows, width), _Pair(rows, width)
        self.extra = np.empty((rows, width), np.float32)
        self.below = np.empty_like(source.value)
        self.activation = Activation(layer.activation, (rows, width))
        self.dW, self.db = np.empty_like(W), np.empty_like(b)
        self.HW, self.Hb = np.empty_like(W), np.empty_like(b)


class _Bound:
    """All buffers of a net on one batch; ``rows`` are the examples' steps, merged."""

    def __init__(
        self,
        net: Dense,
        params: Mapping[str, Array],
        v: Mapping[str, Array],
        x: Array,
        y: Array,
        max_norm: np.float32,
    ) -> None:
        self.net, self.max_norm, self.m = net, max_norm, x.shape[0]
        self.time = x.shape[1] if x.ndim == 3 else 1
        rows = self.rows = self.m * self.time
        source = _Pair(rows, x.shape[-1])
        source.value[...] = x.reshape(rows, -1)
        self.layers: list[_BoundLayer] = []
        for i, layer in enumerate(net.layers, 1):
            arrays = (params[f"W{i}"], params[f"b{i}"], v[f"W{i}"], v[f"b{i}"])
            self.layers.append(_BoundLayer(layer, *arrays, source))
            source = self.layers[-1].out
        self.out = source
        width = source.value.shape[1]
        self.y = y.reshape(rows) if net.loss == "softmax" else y.reshape(rows, width)
        self.q = np.empty((rows, width), np.float32)
        self.index = np.arange(rows)
        self.ones, self.ones2 = np.ones(rows, np.float32), np.ones(2 * rows, np.float32)
        self.wide = np.ones(width, np.float32)
        self.grads: dict[str, Array] = {}
        self.hv: dict[str, Array] = {}
        self.s: dict[str, Array] = {}
        for i, bound in enumerate(self.layers, 1):
            self.grads.update({f"W{i}": bound.dW, f"b{i}": bound.db})
            self.hv.update({f"W{i}": bound.HW, f"b{i}": bound.Hb})
            self.s.update({f"{n}{i}": np.empty(self.m, np.float32) for n in "Wb"})
        self.dot = np.empty(rows, np.float32)
        grams = (self.m, self.time, self.time)
        self.gram_h, self.gram_d = np.empty(grams, np.float32), np.empty(grams, np.float32)

    def functions(self) -> dict[str, Callable[[], Any]]:
        """The functions, by the names of the table."""
        return {
            "gradient": self.gradient,
            "hvp": self.hvp,
            "norms": self.with_norms,
            "clipped": self.clipped,
        }

    def forward(self) -> np.float32:
        """All values, and the loss without its regularizer."""
        for a in self.layers:
            np.dot(a.source.value, a.W, out=a.z.value)
            self._activate(a)
        return self._loss()

    def _activate(self, a: _BoundLayer) -> None:
        z = a.z.value
        z += a.b
        if a.layer.activation is not None:
            a.activation.forward(z, a.f.value)
        if a.layer.residual:
            np.add(a.f.value, a.source.value, out=a.out.value)

    def _loss(self) -> np.float32:
        """The loss; ``dout`` of the last layer is the examples' own cotangent."""
        o, d, m = self.out.value, self.layers[-1].dout.value, self.m
        if self.net.loss == "squared":
            np.subtract(o, self.y, out=d)
            loss = np.vdot(d, d) / np.float32(d.size)
            d *= np.float32(2 / d.shape[1])
            return np.float32(loss)
        q = self.q
        np.subtract(o, o.max(axis=1, keepdims=True), out=q)
        picked = q[self.index, self.y].sum()
        np.exp(q, out=q)
        total = q @ self.wide
        q /= total[:, None]
        np.copyto(d, q)
        d[self.index, self.y] -= 1
        return np.float32((np.log(total).sum() - picked) / m)

    def _regularizer(self) -> np.float32:
        half = np.float32(0.5) * self.net.l2
        return half * sum((np.vdot(a.W, a.W) for a in self.layers), np.float32(0))

    def gradient(self) -> Any:
        """(loss, grads)."""
        loss = self.forward()
        self.layers[-1].dout.value.__imul__(np.float32(1 / self.m))
        for i in range(len(self.layers) - 1, -1, -1):
            self._weight_gradient(i, self._cotangent(i))
            self._pass_down(i)
        return self._finished(loss)

    def _finished(self, loss: np.float32) -> Any:
        if self.net.l2:
            for a in self.layers:
                np.multiply(a.W, self.net.l2, out=a.HW)
                a.dW += a.HW
            loss += self._regularizer()
        return loss, self.grads

    def _cotangent(self, i: int) -> Array:
        """The cotangent of a layer's z, from that of what the layer makes."""
        a = self.layers[i]
        if a.layer.activation is None:
            return a.dout.value
        a.activation.prepare(a.z.value, a.f.value, second=False)
        d = a.dz.value if a.layer.residual else a.dout.value
        if a.activation.kind == "relu":
            np.multiply(a.dout.value, a.activation.mask, out=d)
        else:
            np.multiply(a.dout.value, a.activation.slope, out=d)
        return d

    def _weight_gradient(self, i: int, d: Array) -> None:
        a = self.layers[i]
        np.dot(a.source.value.T, d, out=a.dW)
        np.dot(self.ones, d, out=a.db)

    def _pass_down(self, i: int) -> None:
        if not i:
            return
        a, target = self.layers[i], self.layers[i - 1].dout.value
        d = a.dz.value if a.layer.residual else a.dout.value
        np.dot(d, a.W.T, out=target)
        if a.layer.residual:
            target += a.dout.value

    def with_norms(self) -> Any:
        """(loss, grads, sq_norms): cotangents stay the examples' own until the weights."""
        loss = self.forward()
        scale = np.float32(1 / self.m)
        for i in range(len(self.layers) - 1, -1, -1):
            d = self._cotangent(i)
            self._square_norms(i, d)
            self._weight_gradient(i, d)
            self._pass_down(i)
        for g in self.grads.values():
            g *= scale
        return (*self._finished(loss), self.s)

    def _square_norms(self, i: int, d: Array) -> None:
        a = self.layers[i]
        s_W, s_b = self.s[f"W{i + 1}"], self.s[f"b{i + 1}"]
        if self.time == 1:
            np.vecdot(d, d, out=s_b)
            np.vecdot(a.source.value, a.source.value, out=s_W)
            s_W *= s_b
            return
        shape = (self.m, self.time, -1)
        h, d = a.source.value.reshape(shape), d.reshape(shape)
        np.matmul(d, d.swapaxes(1, 2), out=self.gram_d)
        total = d.sum(axis=1)
        np.vecdot(total, total, out=s_b)
        if self.time**2 < h.shape[2] * d.shape[2]:
            np.matmul(h, h.swapaxes(1, 2), out=self.gram_h)
            flat = (self.m, self.time**2)
            np.vecdot(self.gram_h.reshape(flat), self.gram_d.reshape(flat), out=s_W)

    def clipped(self) -> Any:
        """(loss, grads, norms): cotangents are kept, and scaled before the weights' products."""
        loss = self.forward()
        for i in range(len(self.layers) - 1, -1, -1):
            d = self._cotangent(i)
            self._square_norms(i, d)
            self._pass_down(i)
        norms = np.sqrt(sum(self.s.values()))
        factor = np.minimum(np.float32(1), self.max_norm / np.maximum(norms, np.float32(1e-30)))
        factor *= np.float32(1 / self.m)
        rows = np.repeat(factor, self.time)[:, None] if self.time > 1 else factor[:, None]
        for i, a in enumerate(self.layers):
            d = a.dz.value if a.layer.residual and a.layer.activation else a.dout.value
            d *= rows
            self._weight_gradient(i, d)
        return (*self._finished(loss), norms)

    def hvp(self) -> Any:
        """The Hessian times v: values and tangents together through each weight."""
        scale = np.float32(1 / self.m)
        for i, a in enumerate(self.layers):
            if i:
                np.dot(a.source.both, a.W, out=a.z.both)
                np.dot(a.source.value, a.V, out=a.extra)
                a.z.tangent += a.extra
            else:
                np.dot(a.source.value, a.W, out=a.z.value)
                np.dot(a.source.value, a.V, out=a.z.tangent)
            a.z.tangent += a.c
            self._activate(a)
            if a.layer.activation is not None:
                a.activation.prepare(a.z.value, a.f.value, second=True)
                slope = a.activation.mask if a.activation.kind == "relu" else a.activation.slope
                np.multiply(a.z.tangent, slope, out=a.f.tangent)
            if a.layer.residual:
                np.add(a.f.tangent, a.source.tangent, out=a.out.tangent)
        self._loss()
        self._loss_tangent()
        self.layers[-1].dout.both.__imul__(scale)
        for i in range(len(self.layers) - 1, -1, -1):
            a = self.layers[i]
            d = self._cotangents(a)
            if i:
                # [h; Rh]' [Rd; d]: the halves of the cotangent change places.
                np.dot(a.source.value.T, d.tangent, out=a.HW)
                np.dot(a.source.tangent.T, d.value, out=a.dW)
                a.HW += a.dW
                below = self.layers[i - 1].dout
                np.dot(d.both, a.W.T, out=below.both)
                np.dot(d.value, a.V.T, out=a.below)
                below.tangent += a.below
                if a.layer.residual:
                    below.both += a.dout.both
            else:
                np.dot(a.source.value.T, d.tangent, out=a.HW)
            np.dot(self.ones, d.tangent, out=a.Hb)
            if self.net.l2:
                np.multiply(a.V, self.net.l2, out=a.dW)
                a.HW += a.dW
        return self.hv

    def _cotangents(self, a: _BoundLayer) -> _Pair:
        """The cotangent of z and its tangent: d f', and Rd f' + d f'' Rz."""
        if a.layer.activation is None:
            return a.dout
        d = a.dz
        if a.activation.kind == "relu":
            np.multiply(a.dout.value, a.activation.mask, out=d.value)
            np.multiply(a.dout.tangent, a.activation.mask, out=d.tangent)
            return d
        slope, extra = a.activation.slope, a.extra
        np.multiply(a.dout.value, slope, out=d.value)
        np.multiply(a.dout.tangent, slope, out=d.tangent)
        np.multiply(a.activation.bend, a.z.tangent, out=extra)
        extra *= a.dout.value
        d.tangent += extra
        return d

    def _loss_tangent(self) -> None:
        """The tangent of the examples' cotangents: 2 Ro / width, or q (Ro - q.Ro)."""
        Ro, Rd = self.out.tangent, self.layers[-1].dout.tangent
        if self.net.loss == "squared":
            np.multiply(Ro, np.float32(2 / Ro.shape[1]), out=Rd)
            return
        np.vecdot(self.q, Ro, out=self.dot)
        np.subtract(Ro, self.dot[:, None], out=Rd)
        Rd *= self.q
