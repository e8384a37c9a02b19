"""One transformer block by hand: Q, K and V side by side in one product, tangents beside values.

Norms are of the examples' own gradients, one small product each, whose sums are the gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.tuned.dense import Activation, _Pair

Array = NDArray[Any]


def _new(*shape: int) -> Array:
    return np.empty(shape, np.float32)


class Block:
    """x + attention, then a dense layer around gelu; squared error."""

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


class _Attention:
    """Softmax attention of one head over rows that are kept side by side; scores are scaled."""

    def __init__(self, m: int, time: int, width: int) -> None:
        self.width, self.scale = width, np.float32(1 / np.sqrt(width))
        self.qkv, self.d_qkv = _new(m, time, 3 * width), _new(m, time, 3 * width)
        self.a, self.da = _new(m, time, time), _new(m, time, time)
        self.dot = _new(m, time)
        self.ones = np.ones(time, np.float32)

    def parts(self, rows: Array) -> tuple[Array, Array, Array]:
        """Q, K and V, or what belongs to them."""
        w = self.width
        return rows[..., :w], rows[..., w : 2 * w], rows[..., 2 * w :]

    def forward(self, out: Array) -> None:
        """out = softmax(Q K' / scale) V"""
        q, k, v = self.parts(self.qkv)
        a = self.a
        np.matmul(q, k.swapaxes(1, 2), out=a)
        a *= self.scale
        a -= a.max(axis=2, keepdims=True)
        np.exp(a, out=a)
        np.dot(a.reshape(-1, a.shape[2]), self.ones, out=self.dot.reshape(-1))
        a /= self.dot[..., None]
        np.matmul(a, v, out=out)

    def centred(self, d: Array) -> Array:
        """d less its mean under the attention, a row at a time."""
        np.vecdot(self.a, d, out=self.dot)
        d -= self.dot[..., None]
        return d

    def backward(self, d_out: Array) -> None:
        """The cotangents of Q, K and V."""
        q, k, v = self.parts(self.qkv)
        dq, dk, dv = self.parts(self.d_qkv)
        np.matmul(self.a.swapaxes(1, 2), d_out, out=dv)
        np.matmul(d_out, v.swapaxes(1, 2), out=self.da)
        ds = self.centred(self.da)
        ds *= self.a
        ds *= self.scale
        np.matmul(ds, k, out=dq)
        np.matmul(ds.swapaxes(1, 2), q, out=dk)


class _Bound:
    """All buffers of the block on one batch."""

    def __init__(
        self,
        params: Mapping[str, Array],
        v: Mapping[str, Array],
        x: Array,
        y: Array,
        max_norm: np.float32,
    ) -> None:
        self.params, self.v, self.max_norm = params, v, max_norm
        self.m, self.time, self.d = m, time, d = x.shape
        rows, wide = m * time, params["W1"].shape[1]
        self.x, self.y = x.reshape(rows, d), y.reshape(rows, d)
        self.x3 = x
        self.attention = _Attention(m, time, d)
        self.packed, self.v_packed = _new(d, 3 * d), _new(d, 3 * d)
        self.av, self.r, self.o = _Pair(rows, d), _Pair(rows, d), _Pair(rows, d)
        self.z, self.h, self.dz = _Pair(rows, wide), _Pair(rows, wide), _Pair(rows, wide)
        self.dr, self.dav = _Pair(rows, d), _Pair(rows, d)
        self.extra, self.wide_extra = _new(rows, d), _new(rows, wide)
        self.gelu = Activation("gelu", (rows, wide))
        self.ones, self.examples = np.ones(rows, np.float32), np.ones(m, np.float32)
        self.grads = {name: np.empty_like(p) for name, p in params.items()}
        self.d_packed = _new(d, 3 * d)
        for name, part in zip(("Wq", "Wk", "Wv"), np.split(self.d_packed, 3, axis=1), strict=True):
            self.grads[name] = part
        self.s = {name: _new(m) for name in params}
        self.own = {
            "packed": _new(m, d, 3 * d),
            "Wo": _new(m, d, d),
            "W1": _new(m, d, wide),
            "W2": _new(m, wide, d),
        }
        self.sums = {"b1": _new(m, wide), "b2": _new(m, d)}
        # Tangents of the attention.
        self.r_qkv, self.rd_qkv = _new(m, time, 3 * d), _new(m, time, 3 * d)
        self.ra, self.scores, self.rds = (_new(m, time, time) for _ in range(3))
        self.small, self.dot = _new(m, time, d), _new(m, time)

    def three(self, rows: Array) -> Array:
        """Rows as (example, step, ...)."""
        return rows.reshape(self.m, self.time, -1)

    def forward(self) -> np.float32:
        """All values; the error in o, and the loss."""
        p, d = self.params, self.d
        for i, name in enumerate(("Wq", "Wk", "Wv")):
            self.packed[:, i * d : (i + 1) * d] = p[name]
        np.dot(self.x, self.packed, out=self.attention.qkv.reshape(-1, 3 * d))
        self.attention.forward(self.three(self.av.value))
        r, z, h, o = self.r.value, self.z.value, self.h.value, self.o.value
        np.dot(self.av.value, p["Wo"], out=r)
        r += self.x
        np.dot(r, p["W1"], out=z)
        z += p["b1"]
        self.gelu.forward(z, h)
        np.dot(h, p["W2"], out=o)
        o += p["b2"]
        o += r
        o -= self.y
        return np.float32(np.vdot(o, o) / o.size)

    def cotangents(self, scale: float) -> None:
        """The cotangents of all that weights are multiplied by, the loss's own being scaled."""
        p, o, dz, dr = self.params, self.o.value, self.dz.value, self.dr.value
        o *= np.float32(scale)
        np.dot(o, p["W2"].T, out=dz)
        self.gelu.prepare(self.z.value, self.h.value, second=False)
        dz *= self.gelu.slope
        np.dot(dz, p["W1"].T, out=dr)
        dr += o
        np.dot(dr, p["Wo"].T, out=self.dav.value)
        self.attention.backward(self.three(self.dav.value))

    def gradient(self) -> Any:
        """(loss, grads)."""
        loss = self.forward()
        self.cotangents(2 / self.o.value.size)
        g, o, dz = self.grads, self.o.value, self.dz.value
        np.dot(self.h.value.T, o, out=g["W2"])
        np.dot(self.ones, o, out=g["b2"])
        np.dot(self.r.value.T, dz, out=g["W1"])
        np.dot(self.ones, dz, out=g["b1"])
        np.dot(self.av.value.T, self.dr.value, out=g["Wo"])
        np.dot(self.x.T, self.attention.d_qkv.reshape(-1, 3 * self.d), out=self.d_packed)
        return loss, g

    def examples_own(self) -> np.float32:
        """Each example's own gradient, and their squared norms; the loss."""
        loss = self.forward()
        self.cotangents(2 / (self.time * self.d))
        o, dz, own, s, d = self.o.value, self.dz.value, self.own, self.s, self.d
        pairs = {
            "W2": (self.h.value, o),
            "W1": (self.r.value, dz),
            "Wo": (self.av.value, self.dr.value),
            "packed": (self.x, self.attention.d_qkv),
        }
        for name, (left, right) in pairs.items():
            both = self.three(left).swapaxes(1, 2), self.three(right.reshape(self.o_rows, -1))
            np.matmul(*both, out=own[name])
            if name != "packed":
                flat = own[name].reshape(self.m, -1)
                np.vecdot(flat, flat, out=s[name])
        squares = np.einsum("jab,jab->jb", own["packed"], own["packed"])
        for i, name in enumerate(("Wq", "Wk", "Wv")):
            np.sum(squares[:, i * d : (i + 1) * d], axis=1, out=s[name])
        for name, rows in (("b2", o), ("b1", dz)):
            np.sum(self.three(rows), axis=1, out=self.sums[name])
            np.vecdot(self.sums[name], self.sums[name], out=s[name])
        return loss

    @property
    def o_rows(self) -> int:
        """The examples' steps, merged."""
        return self.m * self.time

    def weighted(self, weights: Array) -> None:
        """The gradients: sums of the examples' own, weighted."""
        targets = {**self.grads, "packed": self.d_packed}
        for name, own in (*self.own.items(), *self.sums.items()):
            np.dot(weights, own.reshape(self.m, -1), out=targets[name].reshape(-1))

    def with_norms(self) -> Any:
        """(loss, grads, sq_norms)."""
        loss = self.examples_own()
        np.multiply(self.examples, np.float32(1 / self.m), out=self.examples)
        self.weighted(self.examples)
        self.examples[:] = 1
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
        self.tangents()
        p, v, g = self.params, self.v, self.grads
        o, dz, dr, dav = self.o, self.dz, self.dr, self.dav
        o.both *= np.float32(2 / o.value.size)
        np.dot(o.both, p["W2"].T, out=dz.both)
        np.dot(o.value, v["W2"].T, out=self.wide_extra)
        dz.tangent += self.wide_extra
        np.dot(self.h.value.T, o.tangent, out=g["W2"])
        g["W2"] += self.h.tangent.T @ o.value
        np.dot(self.ones, o.tangent, out=g["b2"])
        # R(d f') = Rd f' + d f'' Rz
        np.multiply(self.gelu.bend, self.z.tangent, out=self.wide_extra)
        self.wide_extra *= dz.value
        dz.value *= self.gelu.slope
        dz.tangent *= self.gelu.slope
        dz.tangent += self.wide_extra
        np.dot(self.r.value.T, dz.tangent, out=g["W1"])
        g["W1"] += self.r.tangent.T @ dz.value
        np.dot(self.ones, dz.tangent, out=g["b1"])
        np.dot(dz.both, p["W1"].T, out=dr.both)
        np.dot(dz.value, v["W1"].T, out=self.extra)
        dr.tangent += self.extra
        dr.both += o.both
        np.dot(self.av.value.T, dr.tangent, out=g["Wo"])
        g["Wo"] += self.av.tangent.T @ dr.value
        np.dot(dr.both, p["Wo"].T, out=dav.both)
        np.dot(dr.value, v["Wo"].T, out=self.extra)
        dav.tangent += self.extra
        self.attention_hvp(self.three(dav.value), self.three(dav.tangent))
        np.dot(self.x.T, self.rd_qkv.reshape(-1, 3 * self.d), out=self.d_packed)
        return g

    def tangents(self) -> None:
        """The tangents of all values."""
        p, v, d, at = self.params, self.v, self.d, self.attention
        for i, name in enumerate(("Wq", "Wk", "Wv")):
            self.v_packed[:, i * d : (i + 1) * d] = v[name]
        np.dot(self.x, self.v_packed, out=self.r_qkv.reshape(-1, 3 * d))
        (q, k, value), (rq, rk, rv) = at.parts(at.qkv), at.parts(self.r_qkv)
        ra = self.ra
        np.matmul(rq, k.swapaxes(1, 2), out=ra)
        np.matmul(q, rk.swapaxes(1, 2), out=self.scores)
        ra += self.scores
        ra *= at.scale
        at.centred(ra)
        ra *= at.a
        np.matmul(ra, value, out=self.three(self.av.tangent))
        np.matmul(at.a, rv, out=self.small)
        self.three(self.av.tangent).__iadd__(self.small)
        r, z, h, o = self.r.tangent, self.z.tangent, self.h.tangent, self.o.tangent
        np.dot(self.av.tangent, p["Wo"], out=r)
        np.dot(self.av.value, v["Wo"], out=self.extra)
        r += self.extra
        np.dot(r, p["W1"], out=z)
        np.dot(self.r.value, v["W1"], out=self.wide_extra)
        z += self.wide_extra
        z += v["b1"]
        self.gelu.prepare(self.z.value, self.h.value, second=True)
        np.multiply(z, self.gelu.slope, out=h)
        np.dot(h, p["W2"], out=o)
        np.dot(self.h.value, v["W2"], out=self.extra)
        o += self.extra
        o += v["b2"]
        o += r

    def attention_hvp(self, d: Array, rd: Array) -> None:
        """The tangents of the cotangents of Q, K and V."""
        at, ra, ds, rds, dot = self.attention, self.ra, self.attention.da, self.rds, self.dot
        (q, k, v), (rq, rk, rv) = at.parts(at.qkv), at.parts(self.r_qkv)
        rdq, rdk, rdv = at.parts(self.rd_qkv)
        np.matmul(at.a.swapaxes(1, 2), rd, out=rdv)
        np.matmul(ra.swapaxes(1, 2), d, out=self.small)
        rdv += self.small
        np.matmul(d, v.swapaxes(1, 2), out=ds)
        np.matmul(rd, v.swapaxes(1, 2), out=rds)
        np.matmul(d, rv.swapaxes(1, 2), out=self.scores)
        rds += self.scores
        # Rds = Ra (da - <a, da>) + a (Rda - <Ra, da> - <a, Rda>)
        np.vecdot(ra, ds, out=dot)
        at.centred(ds)
        at.centred(rds)
        rds -= dot[..., None]
        rds *= at.a
        ra *= ds
        rds += ra
        rds *= at.scale
        ds *= at.a
        ds *= at.scale
        np.matmul(rds, k, out=rdq)
        np.matmul(ds, rk, out=self.small)
        rdq += self.small
        np.matmul(rds.swapaxes(1, 2), q, out=rdk)
        np.matmul(ds.swapaxes(1, 2), rq, out=self.small)
        rdk += self.small
