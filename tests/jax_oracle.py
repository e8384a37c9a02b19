"""A second opinion where jax is installed: graphs in jax.numpy, differentiated by jax.

Raw graphs, as a spec says them, are run by an interpreter written in jax.numpy, and jax makes the
gradient, its product with the Hessian (jvp of grad) and each example's own gradient (vmap of grad)
of it.  No derivative of ours takes part.  At kinks it keeps the contract's conventions: a root, a
norm, a relu and an absolute value have slope 0 at 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from symdiff.expr import loops
from symdiff.expr.graph import toposort
from symdiff.expr.node import Node
from symdiff.expr.shapes import bind_sizes, size_value

Arrays: TypeAlias = Mapping[str, Any]
Sizes: TypeAlias = Mapping[str, int]
Kernel: TypeAlias = Callable[..., Any]

#: Of XLA: what is to be had at once, rather than fast.
QUICK = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}


def _power(x: Any, e: float) -> Any:
    if e == int(e):
        return lax.integer_pow(x, int(e))
    if 0 < e < 1:
        return jnp.where(x == 0, 0.0, jnp.where(x == 0, 1.0, x) ** e)
    return x**e


def _add(node: Node, sizes: Sizes, *xs: Any) -> Any:
    terms = zip(node.attr("coefficients"), xs, strict=True)
    return sum((c * x for c, x in terms), start=jnp.asarray(node.attr("constant")))


def _mul(node: Node, sizes: Sizes, *xs: Any) -> Any:
    total = jnp.asarray(node.attr("coefficient"))
    for e, x in zip(node.attr("exponents"), xs, strict=True):
        total = total * _power(x.astype(total.dtype) if e < 0 else x, e)
    return total


def _contract(node: Node, sizes: Sizes, *xs: Any) -> Any:
    """einsum by numbers of the indices; those that no operand has are repeated."""
    out, known = node.attr("out"), {i for own in node.attr("indices") for i in own}
    operands = [part for x, own in zip(xs, node.attr("indices"), strict=True) for part in (x, own)]
    small = jnp.einsum(*operands, [i for i in out if i in known], precision="highest")
    new = tuple(axis for axis, i in enumerate(out) if i not in known)
    return jnp.broadcast_to(jnp.expand_dims(small, new), _shape(node, sizes))


def _prod(node: Node, sizes: Sizes, x: Any) -> Any:
    """One factor after another, so that a 0 among them has a slope."""
    for axis in sorted(node.attr("axes"), reverse=True):
        total = jnp.ones(())
        for i in range(x.shape[axis]):
            total = total * jnp.take(x, i, axis)
        x = total
    return x


def _cumsum(node: Node, sizes: Sizes, x: Any) -> Any:
    axis = node.attr("axis")
    if node.attr("reverse"):
        return jnp.flip(jnp.cumsum(jnp.flip(x, axis), axis), axis)
    return jnp.cumsum(x, axis)


def _slice(node: Node, sizes: Sizes, x: Any) -> Any:
    for axis, (start, length, step) in enumerate(node.attr("ranges")):
        places = size_value(start, sizes) + step * np.arange(size_value(length, sizes))
        x = jnp.take(x, places, axis)
    return x


def _pad(node: Node, sizes: Sizes, x: Any) -> Any:
    ends = [(size_value(a, sizes), size_value(b, sizes), gap) for a, b, gap in node.attr("padding")]
    return lax.pad(x, jnp.zeros((), x.dtype), ends)


def _window(node: Node, sizes: Sizes, x: Any) -> Any:
    for axis, size, stride, dilation in zip(*(v for _, v in node.attributes), strict=True):
        count = size_value(node.shape[axis], sizes)
        places = stride * np.arange(count)[:, None] + dilation * np.arange(size)
        x = jnp.moveaxis(jnp.take(x, places, axis), axis + 1, -1)
    return x


def _overlap_add(node: Node, sizes: Sizes, g: Any) -> Any:
    moves = list(zip(*(v for _, v in node.attributes), strict=True))
    for axis, length, stride, dilation in reversed(moves):
        whole = size_value(length, sizes)
        parts = jnp.moveaxis(g, (axis, -1), (0, 1))
        places = stride * np.arange(parts.shape[0])[:, None] + dilation * np.arange(parts.shape[1])
        total = jnp.zeros((whole, *parts.shape[2:]), g.dtype).at[places].add(parts)
        g = jnp.moveaxis(total, 0, axis)
    return g


def _grid(node: Node, index: Any) -> tuple[Any, ...]:
    batch = node.attr("batch")
    rows = [
        jnp.arange(n).reshape(-1, *[1] * (index.ndim - axis - 1))
        for axis, n in enumerate(index.shape[:batch])
    ]
    return (*rows, index)


def _scatter_add(node: Node, sizes: Sizes, g: Any, index: Any) -> Any:
    return jnp.zeros(_shape(node, sizes), g.dtype).at[_grid(node, index)].add(g)


def _abs(x: Any) -> Any:
    return jnp.where(x > 0, x, jnp.where(x < 0, -x, 0.0))


def _hypot(x: Any, y: Any) -> Any:
    return _power(x * x + y * y, 0.5)


def _shape(node: Node, sizes: Sizes) -> tuple[int, ...]:
    return tuple(size_value(size, sizes) for size in node.shape)


def _logsumexp(node: Node, sizes: Sizes, x: Any) -> Any:
    return jax.nn.logsumexp(x, axis=node.attr("axes"))


KERNELS: Mapping[str, Kernel] = {
    "constant": lambda node, sizes: jnp.asarray(node.value),
    "size": lambda node, sizes: jnp.asarray(size_value(node.attr("size"), sizes)),
    "arange": lambda node, sizes: jnp.arange(size_value(node.attr("n"), sizes)),
    "add": _add,
    "mul": _mul,
    "cast": lambda node, sizes, x: x.astype(
        jnp.float64 if node.dtype.startswith("float") else node.dtype
    ),
    "contract": _contract,
    "max": lambda node, sizes, x: jnp.max(x, axis=node.attr("axes")),
    "prod": _prod,
    "cumsum": _cumsum,
    "softmax": lambda node, sizes, x: jax.nn.softmax(x, axis=node.attr("axes")),
    "log_softmax": lambda node, sizes, x: jax.nn.log_softmax(x, axis=node.attr("axes")),
    "logsumexp": _logsumexp,
    "reshape": lambda node, sizes, x: jnp.reshape(x, _shape(node, sizes)),
    "slice": _slice,
    "flip": lambda node, sizes, x: jnp.flip(x, node.attr("axes")),
    "pad": _pad,
    "concatenate": lambda node, sizes, *xs: jnp.concatenate(xs, node.attr("axis")),
    "window": _window,
    "overlap_add": _overlap_add,
    "take": lambda node, sizes, x, index: x[_grid(node, index)],
    "scatter_add": _scatter_add,
    "one_hot": lambda node, sizes, x: jax.nn.one_hot(
        x, size_value(node.attr("n"), sizes), dtype=jnp.float64
    ),
    "stop_gradient": lambda node, sizes, x: lax.stop_gradient(x),
}

#: Functions of each element that are called as in jax.numpy.
_PLAIN = """
    exp expm1 log log1p sin cos tan sinh cosh tanh arctan arcsinh arctanh arccosh arcsin
    sign maximum minimum where
""".split()
SCALARS: Mapping[str, Kernel] = {
    **{name: getattr(jnp, name) for name in _PLAIN},
    "abs": _abs,
    "erf": jax.scipy.special.erf,
    "erfc": jax.scipy.special.erfc,
    "erfc_hazard": lambda x: 2 / jnp.sqrt(jnp.pi) * jnp.exp(-x * x) / jax.scipy.special.erfc(x),
    "log_erfc": lambda x: jnp.log(jax.scipy.special.erfc(x)),
    "log1mexp": lambda x: jnp.log(-jnp.expm1(x)),
    "sigmoid": lambda x: 0.5 * (jnp.tanh(0.5 * x) + 1),
    "softplus": lambda x: jnp.logaddexp(x, 0.0),
    "relu": lambda x: jnp.where(x > 0, x, 0.0),
    "reciprocal_or_zero": lambda x: jnp.where(x == 0, 0.0, 1 / jnp.where(x == 0, 1.0, x)),
    "hypot": _hypot,
    "pow": lambda x, y: x**y,
    "lt": jnp.less,
    "le": jnp.less_equal,
    "gt": jnp.greater,
    "ge": jnp.greater_equal,
    "eq": jnp.equal,
    "ne": jnp.not_equal,
}


def _run(node: Node, sizes: Sizes, inputs: Sequence[Any]) -> Any:
    if node.op in KERNELS:
        return KERNELS[node.op](node, sizes, *inputs)
    return SCALARS[node.op](*inputs)


def _loop(hub: Node, sizes: Sizes, inputs: Sequence[Any], wanted: Sequence[Node]) -> Any:
    """The carries after the last step, and the stacks of what is wanted, by lax.scan."""
    nexts, leaves = loops.updates(hub), loops.bound_leaves(hub)
    count, arrays = hub.attr("counts")
    order = toposort([*nexts, *wanted])

    def body(carries: Any, elements: Any) -> Any:
        done = dict(zip(leaves, [*carries, *elements, *inputs[count + arrays :]], strict=True))
        _compute(order, done, sizes)
        stacks = [jnp.broadcast_to(done[x], _shape(x, sizes)) for x in wanted]
        return [done[x].astype(c.dtype) for x, c in zip(nexts, carries, strict=True)], stacks

    length = size_value(hub.attr("length"), sizes)
    return lax.scan(
        body,
        [jnp.broadcast_to(x, _shape(y, sizes)) for x, y in zip(inputs[:count], nexts, strict=True)],
        list(inputs[count : count + arrays]),
        length=length,
        reverse=hub.attr("reverse"),
    )


def _compute(order: Sequence[Node], done: dict[Node, Any], sizes: Sizes) -> None:
    readers = loops.readers_of(order)
    for node in order:
        if node in done:
            continue
        inputs = [done[x] for x in node.inputs]
        if node.op == "loop":
            stacks = [x for x in readers.get(node, ()) if x.op == "stacked"]
            last, found = _loop(node, sizes, inputs, [loops.value_of(x) for x in stacks])
            done[node] = last, dict(zip(stacks, found, strict=True))
        elif node.op == "stacked":
            done[node] = inputs[0][1][node]
        elif node.op == "final":
            done[node] = inputs[0][0][node.attr("position")]
        else:
            done[node] = _run(node, sizes, inputs)


def jax_function(root: Node, sizes: Sizes) -> Callable[[Arrays], Any]:
    """The graph as a function of its leaves' arrays, by name, that jax can differentiate."""
    order = toposort([root])

    def run(arrays: Arrays) -> Any:
        known = dict(sizes)
        done: dict[Node, Any] = {}
        for node in order:
            if node.op in ("input", "parameter"):
                done[node] = arrays[node.attr("name")]
                bind_sizes(node.shape, done[node].shape, known)
        _compute(order, done, known)
        return done[root]

    return run


def jax_derivatives(
    total: Node,
    per_example: Node,
    free: Arrays,
    fixed: Arrays,
    data: Arrays,
    v: Arrays,
    sizes: Sizes,
) -> dict[str, Any]:
    """By jax: the loss, its gradient, the Hessian times v, and each example's own gradient.

    ``free`` are the trainable parameters, ``fixed`` the others, ``data`` the inputs, with the
    example axis in front of each.  ``sizes`` gives the named sizes, "batch" left out.
    """

    def everything(free: Any, fixed: Any, data: Any, v: Any) -> Any:
        batch = len(next(iter(data.values())))
        f = jax_function(total, {**sizes, "batch": batch})
        g = jax_function(per_example, {**sizes, "batch": 1})

        def whole(theta: Any) -> Any:
            return f({**data, **fixed, **theta}).astype(jnp.float64)

        def single(theta: Any, row: Any) -> Any:
            own = jax.tree.map(lambda x: x[None], row)
            return g({**own, **fixed, **theta})[0].astype(jnp.float64)

        loss, slopes = jax.value_and_grad(whole)(free)
        _, product = jax.jvp(jax.grad(whole), (free,), (v,))
        own = jax.vmap(jax.grad(single), in_axes=(None, 0))(free, data)
        return {"loss": loss, "grads": slopes, "hvp": product, "own": own}

    with jax.enable_x64(True):
        given = [
            {k: jnp.asarray(np.asarray(x)) for k, x in own.items()}
            for own in (free, fixed, data, v)
        ]
        found = jax.jit(everything, compiler_options=QUICK)(*given)
        result: dict[str, Any] = jax.tree.map(np.asarray, found)
    return result


def jax_gauss_newton(
    zs: Sequence[Node], loss: Node, arrays: Arrays, v: Arrays, sizes: Sizes
) -> list[Any]:
    """Jᵀ H J v for each entry of v, H being of the loss as a function of leaves z.0, z.1, ..."""
    f, networks = jax_function(loss, sizes), [jax_function(z, sizes) for z in zs]

    def product(free: Any, rest: Any, v: Any) -> Any:
        def values(theta: Any) -> Any:
            return [network({**rest, **theta}) for network in networks]

        def top(z: Any) -> Any:
            named = {f"z.{i}": x for i, x in enumerate(z)}
            return f({**rest, **free, **named}).astype(jnp.float64)

        z, along = jax.jvp(values, (free,), (v,))
        _, pull = jax.vjp(values, free)
        return pull(jax.jvp(jax.grad(top), (z,), (along,))[1])[0]

    with jax.enable_x64(True):
        given = {k: jnp.asarray(np.asarray(x)) for k, x in arrays.items()}
        free = {k: given.pop(k) for k in v}
        found = jax.jit(product, compiler_options=QUICK)(free, given, dict(v))
        return [np.asarray(found[k]) for k in v]
