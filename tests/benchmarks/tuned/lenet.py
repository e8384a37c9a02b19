"""LeNet by hand: channels last inside, windows copied once, pooling before relu.

The largest of four and relu may change places, so that relu, and its mask, are of a quarter of the
elements; a place has a gradient where it is what its pool kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[Any]


def _new(*shape: int) -> Array:
    return np.empty(shape, np.float32)


class LeNet:
    """Two convolutions, each with relu and pooling, and a linear layer."""

    def bind(
        self,
        params: Mapping[str, Array],
        v: Mapping[str, Array],
        x: Array,
        y: Array,
        max_norm: float,
    ) -> dict[str, Callable[[], Any]]:
        """The functions, by the names of the table, on these arrays."""
        bound = _Bound(params, v, x, y, np.float32(max_norm))
        return {
            "gradient": bound.gradient,
            "hvp": bound.hvp,
            "norms": bound.with_norms,
            "clipped": bound.clipped,
        }


class _Convolution:
    """Windows of 5 by 5 of an image, channels last, times a kernel; then relu and pooling."""

    def __init__(self, m: int, side: int, channels: int, made: int) -> None:
        self.m, self.side, self.channels, self.made = m, side, channels, made
        self.out = side - 4
        self.columns = _new(m, self.out, self.out, 5, 5, channels)
        self.z = _new(m, self.out, self.out, made)
        half = self.out // 2
        self.pooled, self.positive = (
            _new(m, half, half, made),
            np.empty((m, half, half, made), bool),
        )
        self.kept = np.empty((4, m, half, half, made), bool)
        self.kernel = _new(25 * channels, made)
        self.dz = _new(m, self.out, self.out, made)
        self.below = _new(m * self.out**2, 25 * channels)
        self.own, self.own_c = _new(m, 25 * channels, made), _new(m, made)
        self.work = _new(m, half, half, made)
        self.ones = np.ones(m * self.out**2, np.float32)

    def rows(self, a: Array) -> Array:
        """A row a place."""
        return a.reshape(self.m * self.out**2, -1)

    def windows(self, image: Array, out: Array) -> None:
        """All windows of an image, copied."""
        view = sliding_window_view(image, (5, 5), axis=(1, 2))
        np.copyto(out, view.transpose(0, 1, 2, 4, 5, 3))

    def arranged(self, kernel: Array, out: Array) -> Array:
        """The kernel as a matrix, channels last."""
        shape = (5, 5, self.channels, self.made)
        out.reshape(shape)[...] = kernel.transpose(2, 3, 1, 0)
        return out

    def places(self, a: Array) -> Iterator[Array]:
        """The four places of each pool."""
        half = self.out // 2
        split = a.reshape(self.m, half, 2, half, 2, self.made)
        return (split[:, :, i, :, j] for i in (0, 1) for j in (0, 1))

    def forward(self, image: Array, kernel: Array, bias: Array) -> Array:
        """The pooled image."""
        self.windows(image, self.columns)
        np.dot(self.rows(self.columns), self.arranged(kernel, self.kernel), out=self.rows(self.z))
        self.z += bias
        first, second, *rest = self.places(self.z)
        np.maximum(first, second, out=self.pooled)
        for place in rest:
            np.maximum(self.pooled, place, out=self.pooled)
        np.maximum(self.pooled, np.float32(0), out=self.pooled)
        return self.pooled

    def choose(self) -> None:
        """Which places have a gradient."""
        np.greater(self.pooled, 0, out=self.positive)
        for kept, place in zip(self.kept, self.places(self.z), strict=True):
            np.equal(place, self.pooled, out=kept)
            kept &= self.positive

    def backward(self, d: Array, dz: Array) -> None:
        """The cotangent before pooling."""
        for kept, place in zip(self.kept, self.places(dz), strict=True):
            np.multiply(d, kept, out=place)

    def through(self, rz: Array, out: Array) -> None:
        """The tangent behind pooling."""
        first, *rest = zip(self.kept, self.places(rz), strict=True)
        np.multiply(first[1], first[0], out=out)
        for kept, place in rest:
            np.multiply(place, kept, out=self.work)
            out += self.work

    def image(self, dz: Array, kernel: Array, out: Array, *, add: bool = False) -> None:
        """The cotangent of the image: windows added up where they were taken."""
        np.dot(self.rows(dz), kernel.T, out=self.below)
        if not add:
            out[...] = 0
        below = self.below.reshape(self.m, self.out, self.out, 5, 5, self.channels)
        for i in range(5):
            for j in range(5):
                out[:, i : i + self.out, j : j + self.out] += below[:, :, :, i, j]

    def original(self, matrix: Array, out: Array) -> None:
        """A kernel's matrix back in its own order."""
        shape = (5, 5, self.channels, self.made)
        out[...] = matrix.reshape(shape).transpose(3, 2, 0, 1)

    def examples_own(self) -> None:
        """Each example's own gradient of the kernel and of the biases."""
        places = self.out**2
        columns = self.columns.reshape(self.m, places, -1)
        np.matmul(columns.swapaxes(1, 2), self.dz.reshape(self.m, places, -1), out=self.own)
        np.sum(self.dz, axis=(1, 2), out=self.own_c)


class _Bound:
    """All buffers of the network on one batch."""

    def __init__(
        self,
        params: Mapping[str, Array],
        v: Mapping[str, Array],
        x: Array,
        y: Array,
        max_norm: np.float32,
    ) -> None:
        self.params, self.v, self.y, self.max_norm = params, v, y, max_norm
        self.m = m = x.shape[0]
        self.x = x.transpose(0, 2, 3, 1)
        self.first, self.second = _Convolution(m, 28, 1, 8), _Convolution(m, 12, 8, 16)
        self.W, self.V, self.dW = _new(256, 10), _new(256, 10), _new(256, 10)
        self.q, self.d, self.rd, self.rz = (_new(m, 10) for _ in range(4))
        self.index, self.wide = np.arange(m), np.ones(10, np.float32)
        self.ones = np.ones(m, np.float32)
        self.dp2, self.dp1 = _new(m, 4, 4, 16), _new(m, 12, 12, 8)
        self.grads = {name: np.empty_like(p) for name, p in params.items()}
        self.s = {name: _new(m) for name in params}
        self.matrices = [np.empty_like(c.kernel) for c in (self.first, self.second)]
        self.extra = [np.empty_like(c.kernel) for c in (self.first, self.second)]
        self.r_columns = np.empty_like(self.second.columns)
        self.rz1, self.rz2 = np.empty_like(self.first.z), np.empty_like(self.second.z)
        self.work2 = np.empty_like(self.second.z)
        self.rp1, self.rp2 = np.empty_like(self.dp1), np.empty_like(self.dp2)
        self.rdp2, self.work10 = np.empty_like(self.dp2), _new(m, 10)

    def last(self, W: Array, out: Array) -> Array:
        """The linear layer's matrix, channels last."""
        out.reshape(4, 4, 16, 10)[...] = W.reshape(16, 4, 4, 10).transpose(1, 2, 0, 3)
        return out

    def forward(self) -> np.float32:
        """All values and the loss; q is the softmax, d the examples' own cotangent."""
        p, q, d = self.params, self.q, self.d
        p1 = self.first.forward(self.x, p["K1"], p["c1"])
        p2 = self.second.forward(p1, p["K2"], p["c2"])
        np.dot(p2.reshape(self.m, 256), self.last(p["W"], self.W), out=q)
        q += p["b"]
        q -= q.max(axis=1, keepdims=True)
        picked = q[self.index, self.y].sum()
        np.exp(q, out=q)
        total = q @ self.wide
        q /= total[:, None]
        np.copyto(d, q)
        d[self.index, self.y] -= 1
        return np.float32((np.log(total).sum() - picked) / self.m)

    def cotangents(self) -> None:
        """The cotangents of both convolutions."""
        first, second = self.first, self.second
        first.choose()
        second.choose()
        np.dot(self.d, self.W.T, out=self.dp2.reshape(self.m, 256))
        second.backward(self.dp2, second.dz)
        second.image(second.dz, second.kernel, self.dp1)
        first.backward(self.dp1, first.dz)

    def gradient(self) -> Any:
        """(loss, grads)."""
        loss, g = self.forward(), self.grads
        self.d *= np.float32(1 / self.m)
        self.cotangents()
        for i, layer in enumerate((self.first, self.second)):
            np.dot(layer.rows(layer.columns).T, layer.rows(layer.dz), out=self.matrices[i])
            layer.original(self.matrices[i], g[f"K{i + 1}"])
            np.dot(layer.ones, layer.rows(layer.dz), out=g[f"c{i + 1}"])
        self.linear(self.d)
        return loss, g

    def linear(self, d: Array) -> None:
        """The gradients of the linear layer."""
        np.dot(self.second.pooled.reshape(self.m, 256).T, d, out=self.dW)
        self.back(self.dW)
        np.dot(self.ones, d, out=self.grads["b"])

    def back(self, dW: Array) -> None:
        """The linear layer's gradient in its own order."""
        target = self.grads["W"].reshape(16, 4, 4, 10)
        target[...] = dW.reshape(4, 4, 16, 10).transpose(2, 0, 1, 3)

    def examples_own(self) -> np.float32:
        """The examples' own gradients and their squared norms; the loss."""
        loss, s = self.forward(), self.s
        self.cotangents()
        for i, layer in enumerate((self.first, self.second), 1):
            layer.examples_own()
            flat = layer.own.reshape(self.m, -1)
            np.vecdot(flat, flat, out=s[f"K{i}"])
            np.vecdot(layer.own_c, layer.own_c, out=s[f"c{i}"])
        p2 = self.second.pooled.reshape(self.m, 256)
        np.vecdot(self.d, self.d, out=s["b"])
        np.vecdot(p2, p2, out=s["W"])
        s["W"] *= s["b"]
        return loss

    def weighted(self, weights: Array) -> None:
        """The gradients: sums of the examples' own, weighted."""
        for i, layer in enumerate((self.first, self.second)):
            flat = layer.own.reshape(self.m, -1)
            np.dot(weights, flat, out=self.matrices[i].reshape(-1))
            layer.original(self.matrices[i], self.grads[f"K{i + 1}"])
            np.dot(weights, layer.own_c, out=self.grads[f"c{i + 1}"])
        self.d *= weights[:, None]
        self.linear(self.d)

    def with_norms(self) -> Any:
        """(loss, grads, sq_norms)."""
        loss = self.examples_own()
        self.weighted(np.full(self.m, 1 / self.m, np.float32))
        return loss, self.grads, self.s

    def clipped(self) -> Any:
        """(loss, grads, norms)."""
        loss = self.examples_own()
        norms = np.sqrt(sum(self.s.values()))
        factor = np.minimum(np.float32(1), self.max_norm / np.maximum(norms, np.float32(1e-30)))
        factor *= np.float32(1 / self.m)
        self.weighted(factor)
        return loss, self.grads, norms

    def hvp(self) -> Any:
        """The Hessian times v."""
        self.forward()
        self.d *= np.float32(1 / self.m)
        self.cotangents()
        self.tangents()
        first, second, v, g = self.first, self.second, self.v, self.grads
        p2 = second.pooled.reshape(self.m, 256)
        np.dot(p2.T, self.rd, out=self.dW)
        self.dW += self.rp2.reshape(self.m, 256).T @ self.d
        self.back(self.dW)
        np.dot(self.ones, self.rd, out=g["b"])
        np.dot(self.rd, self.W.T, out=self.rdp2.reshape(self.m, 256))
        self.rdp2 += (self.d @ self.V.T).reshape(self.rdp2.shape)
        second.backward(self.rdp2, self.work2)
        rows = second.rows
        np.dot(rows(second.columns).T, rows(self.work2), out=self.matrices[1])
        self.matrices[1] += rows(self.r_columns).T @ rows(second.dz)
        second.original(self.matrices[1], g["K2"])
        np.dot(second.ones, rows(self.work2), out=g["c2"])
        second.image(self.work2, second.kernel, self.dp1)
        second.image(second.dz, second.arranged(v["K2"], self.extra[1]), self.dp1, add=True)
        first.backward(self.dp1, first.dz)
        np.dot(first.rows(first.columns).T, first.rows(first.dz), out=self.matrices[0])
        first.original(self.matrices[0], g["K1"])
        np.dot(first.ones, first.rows(first.dz), out=g["c1"])
        return g

    def tangents(self) -> None:
        """The tangents of all values, and of the loss's cotangent."""
        first, second, v = self.first, self.second, self.v
        kernel = first.arranged(v["K1"], self.extra[0])
        np.dot(first.rows(first.columns), kernel, out=first.rows(self.rz1))
        self.rz1 += v["c1"]
        first.through(self.rz1, self.rp1)
        second.windows(self.rp1, self.r_columns)
        np.dot(second.rows(self.r_columns), second.kernel, out=second.rows(self.rz2))
        kernel = second.arranged(v["K2"], self.extra[1])
        np.dot(second.rows(second.columns), kernel, out=second.rows(self.work2))
        self.rz2 += self.work2
        self.rz2 += v["c2"]
        second.through(self.rz2, self.rp2)
        rz = self.rz
        np.dot(self.rp2.reshape(self.m, 256), self.W, out=rz)
        p2 = second.pooled.reshape(self.m, 256)
        np.dot(p2, self.last(v["W"], self.V), out=self.work10)
        rz += self.work10
        rz += v["b"]
        # q (Rz - q.Rz) / m
        rz -= np.vecdot(self.q, rz)[:, None]
        np.multiply(rz, self.q, out=self.rd)
        self.rd *= np.float32(1 / self.m)
