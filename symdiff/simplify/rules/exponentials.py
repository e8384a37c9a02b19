"""Exponentials and logarithms: what overflows when it is computed as it is written.

``known_log`` says of which nodes the logarithm has a closed form; one rule splits those factors
off a product, another carries the logarithm through indexing and reshaping (PyTensor PR#352,
TensorFlow PR#25455: stable forms must not depend on where the indexing stands).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from symdiff.expr.algebra import linear_combination, power_product, scalar
from symdiff.expr.movement import concatenate, reduction
from symdiff.expr.node import Node
from symdiff.expr.numbers import constant
from symdiff.expr.views import expand_dims, make_view
from symdiff.simplify.parts import (
    Product,
    Sum,
    as_like,
    below_movement,
    moved_again,
    moves,
    product_of,
    sum_of,
)
from symdiff.simplify.rewrite import Context, Rewrite, Rule, rule


def negative(node: Node) -> Node:
    """-node."""
    return power_product([(node, 1.0)], -1.0)


def one_plus_exp(node: Node) -> tuple[float, Node] | None:
    """(c, z) of ``c (1 + eᶻ)``: the number must be exactly that before the exponential."""
    if node.op != "add" or len(node.inputs) != 1:
        return None
    (base,), (c,) = node.inputs, node.attr("coefficients")
    if base.op != "exp" or c <= 0 or c != node.attr("constant"):
        return None
    return c, base.inputs[0]


def exponents_summed(node: Node) -> tuple[Node, tuple[int, ...]] | None:
    """(z, axes) of a plain sum of eᶻ over the axes."""
    if node.op != "contract" or len(node.inputs) != 1 or node.inputs[0].op != "exp":
        return None
    (names,), out = node.attr("indices"), node.attr("out")
    axes = tuple(axis for axis, name in enumerate(names) if name not in out)
    if not axes or len(set(names)) != len(names) or any(name not in names for name in out):
        return None
    return node.inputs[0].inputs[0], axes


def known_log(node: Node) -> Node | None:
    """The logarithm of the node, where that is no ``log`` any more."""
    node, moved = below_movement(node)
    result = _known_log(node)
    return None if result is None else moved_again(result, moved)


def _known_log(node: Node) -> Node | None:
    found = exponents_summed(node)
    if found is not None:
        z, axes = found
        kept = [n for a, n in enumerate(node.attr("indices")[0]) if a not in axes]
        return make_view(reduction("logsumexp", z, axes), kept, node.attr("out"), node.shape)
    if node.op == "exp":
        return node.inputs[0]
    if node.op == "softmax":
        return reduction("log_softmax", node.inputs[0], node.attr("axes"))
    if node.op == "sigmoid":
        return negative(scalar("softplus", negative(node.inputs[0])))
    if node.op == "erfc":
        return scalar("log_erfc", node.inputs[0])
    shifted = one_plus_exp(node)
    if shifted is not None:
        c, z = shifted
        return linear_combination([(scalar("softplus", z), 1.0)], math.log(c))
    return None


#: The laws of log_of_known, by what the logarithm is of.
_LOGS = {
    "exp": "log eᶻ = z",
    "softmax": "log softmax(z) = log_softmax(z)",
    "contract": "log Σeᶻ = logsumexp(z)",
    "sigmoid": "log σ(z) = −softplus(−z)",
    "erfc": "log erfc(z) = log_erfc(z)",
    "add": "log(1 + eᶻ) = softplus(z)",
}


def _argument(node: Node) -> Node:
    """What stands below the exponentials of a node of which ``known_log`` knows."""
    core, _ = below_movement(node)
    inner = core.inputs[0]
    return inner.inputs[0] if core.op in ("add", "contract") else inner


@rule("stabler", "log")
def log_of_known(node: Node, context: Context) -> Rewrite | None:
    """the logarithm of eᶻ, Σeᶻ, 1 + eᶻ, σ(z), softmax(z) and erfc(z)"""
    (inside,) = node.inputs
    result = known_log(inside)
    if result is None:
        return None
    law = _LOGS[below_movement(inside)[0].op]
    return Rewrite(as_like(result, node), {"z": _argument(inside)}, law=law)


def _log_of_sum(total: Sum, like: Node) -> Node | None:
    """The logarithm of a sum of at least two of eᶻ, Σeᶻ and a number, all positive."""
    logs: list[Node] = []
    for term, c in total.terms.items():
        core, _ = below_movement(term)
        known = known_log(term) if core.op in ("exp", "contract") else None
        if known is None or c <= 0:
            return None
        logs.append(linear_combination([(known, 1.0)], math.log(c)))
    if total.constant < 0 or len(logs) + (total.constant > 0) < 2:
        return None
    return as_like(log_of_terms(logs, total.constant, like), like)


def log_of_terms(logs: Iterable[Node], number: float, like: Node) -> Node:
    """log(Σ eˡ + number), of two terms by softplus, of more by logsumexp.

    The difference that softplus is of is taken to a term that is not −∞: ∞ − ∞ is no number.
    """
    logs = sorted(logs, key=lambda each: each.digest)
    if number:
        logs.append(constant(math.log(number), like.dtype))
    if len(logs) == 1:
        return logs[0]
    finite = [not _may_be_infinite(each) for each in logs]
    if len(logs) == 2 and any(finite):
        logs = logs if finite[1] else logs[::-1]
        over = linear_combination([(logs[0], 1.0), (logs[1], -1.0)])
        return linear_combination([(logs[1], 1.0), (scalar("softplus", over), 1.0)])
    rows = [expand_dims(as_like(each, like), (like.ndim,)) for each in logs]
    return reduction("logsumexp", concatenate(rows, like.ndim), (like.ndim,))


def _may_be_infinite(log: Node, depth: int = 12) -> bool:
    """Whether a logarithm holds, in its sums and products, one of what may be 0."""
    if log.op == "log":
        return not log.inputs[0].facts.positive
    if log.op in ("log1mexp", "where", "concatenate") or depth == 0:
        return True
    if log.op in ("add", "mul", "logsumexp", "softplus", "log_softmax") or moves(log):
        return any(_may_be_infinite(x, depth - 1) for x in log.inputs)
    return False


@rule("stabler", "log")
def log_of_exponentials(node: Node, context: Context) -> Rewrite | None:
    """log(eᵃ + eᵇ) = b + softplus(a − b); of more exponentials, logsumexp"""
    total = sum_of(node.inputs[0])
    result = _log_of_sum(total, node)
    names = {f"x{i}": _argument(term) for i, term in enumerate(total.terms) if result is not None}
    return None if result is None else Rewrite(result, names)


@rule("stabler", "log")
def log_of_product(node: Node, context: Context) -> Rewrite | None:
    """log(a b) = log a + log b, where log a has a closed form"""
    inside, moved = below_movement(node.inputs[0])
    if inside.op != "mul":
        return None
    terms: list[tuple[Node, float]] = []
    names: dict[str, Node] = {}
    rest = Product({}, inside.attr("coefficient"))
    for base, e in product_of(inside).factors.items():
        known = known_log(base)
        if known is None:
            rest = rest.times(base, e)
            names[f"x{len(names)}"] = base
        else:
            terms.append((known, e))
            names[f"x{len(names)}"] = _argument(base)
    if not terms or (not rest.factors and rest.coefficient <= 0):
        return None
    number = 0.0
    if rest.coefficient > 0:
        number = math.log(rest.coefficient)
        rest = Product(rest.factors, 1.0)
    if rest.factors:
        terms.append((scalar("log", rest.bare(inside.dtype)), 1.0))
    result = moved_again(as_like(linear_combination(terms, number), inside), moved)
    return Rewrite(as_like(result, node), names)


@rule("stabler", "log")
def log_of_power(node: Node, context: Context) -> Rewrite | None:
    """log(c xⁿ) = log c + n log x, and n log |x| for even n"""
    (inside,) = node.inputs
    if inside.op != "mul" or len(inside.inputs) != 1 or inside.attr("coefficient") <= 0:
        return None
    (base,), (e,) = inside.inputs, inside.attr("exponents")
    if e == 1:
        return None
    known = base if e % 2 or base.facts.nonnegative else scalar("abs", base)
    facts = base.facts.declared if known is base and e % 2 == 0 else frozenset()
    number = math.log(inside.attr("coefficient"))
    result = linear_combination([(scalar("log", known), e)], number)
    return Rewrite(as_like(result, node), {"x": base}, facts)


@rule("stabler", "log", yields_to=(log_of_exponentials,))
def log_of_one_plus(node: Node, context: Context) -> Rewrite | None:
    """log(1 + x) = log1p(x)"""
    (inside,) = node.inputs
    if inside.op != "add" or inside.attr("constant") != 1 or one_plus_exp(inside) is not None:
        return None
    total = sum_of(inside)
    less = linear_combination(list(total.terms.items()))
    names = {f"x{i}": term for i, term in enumerate(total.terms)}
    return Rewrite(as_like(scalar("log1p", less), node), names)


@rule("stabler", "log1p")
def log1p_of_known(node: Node, context: Context) -> Rewrite | None:
    """log1p(eᶻ) = softplus(z), log1p(−σ(z)) = −softplus(z), log1p(eˣ − 1) = x"""
    total = sum_of(node.inputs[0])
    result = _log_of_sum(Sum(total.terms, total.constant + 1.0), node)
    if result is not None:
        names = {f"z{i}": _argument(term) for i, term in enumerate(total.terms)}
        return Rewrite(result, names, law="log1p(eᶻ) = softplus(z)" if len(names) == 1 else "")
    if len(total.terms) != 1 or total.constant:
        return None
    ((term, c),) = total.terms.items()
    core, moved = below_movement(term)
    if core.op == "sigmoid" and c == -1:
        result, law = negative(scalar("softplus", core.inputs[0])), "log1p(−σ(z)) = −softplus(z)"
    elif core.op == "expm1" and c == 1:
        result, law = core.inputs[0], "log1p(eᶻ − 1) = z"
    else:
        return None
    return Rewrite(as_like(moved_again(result, moved), node), {"z": core.inputs[0]}, law=law)


@rule("stabler", "exp", "expm1")
def exp_of_log(node: Node, context: Context) -> Rewrite | None:
    """e^(c log x) = xᶜ, e^log_softmax = softmax, e^(−softplus(−z)) = σ(z), expm1(log1p x) = x"""
    total = sum_of(node.inputs[0])
    if len(total.terms) != 1 or total.constant:
        return None
    ((base, c),) = total.terms.items()
    core, moved = below_movement(base)
    inside = core.inputs[0] if core.inputs else core
    if node.op == "expm1":
        if core.op != "log1p" or c != 1:
            return None
        result, law = inside, "expm1(log1p x) = x"
    elif core.op == "log":
        result, law = power_product([(inside, c)]), "e^(c log x) = xᶜ"
    elif core.op == "log1p":
        result = power_product([(linear_combination([(inside, 1.0)], 1.0), c)])
        law = "e^(c log1p(x)) = (1 + x)ᶜ"
    elif core.op == "log_softmax" and c % 1 == 0:
        result = power_product([(reduction("softmax", inside, core.attr("axes")), c)])
        law = "e^log_softmax(x) = softmax(x)"
    elif core.op == "softplus" and c < 0:
        result = power_product([(scalar("sigmoid", negative(inside)), -c)])
        law = "e^(−softplus(x)) = σ(−x)"
    else:
        return None
    return Rewrite(as_like(moved_again(result, moved), node), {"x": inside}, law=law)


@rule("stabler", "mul", needs=("exp",))
def product_of_exponentials(node: Node, context: Context) -> Rewrite | None:
    """eᵃ eᵇ = e^(a+b), (eᵃ)ⁿ = e^(n a)"""
    product = product_of(node)
    groups: dict[object, list[tuple[Node, float]]] = {}
    for base, e in product.factors.items():
        if base.op == "exp":
            groups.setdefault(base.shape, []).append((base, e))
    for shared in groups.values():
        if len(shared) == 1 and shared[0][1] == 1:
            continue
        merged = scalar("exp", linear_combination([(b.inputs[0], e) for b, e in shared]))
        rest = product.without(*(b for b, _ in shared)).times(merged, 1.0)
        names = {f"x{i}": b.inputs[0] for i, (b, _) in enumerate(shared)}
        law = "eᵃ eᵇ = e^(a+b)" if len(shared) > 1 else "(eᵃ)ⁿ = e^(n a)"
        return Rewrite(rest.node(node), names, law=law)
    return None


@rule("stabler", "add")
def power_of_one_plus_exp(node: Node, context: Context) -> Rewrite | None:
    """(1 + eˣ)ⁿ = e^(n softplus(x)) beside a number"""
    total = sum_of(node)
    for term, c in total.terms.items() if total.constant else ():
        product = product_of(term)
        if len(product.factors) != 1:
            continue
        ((base, n),) = product.factors.items()
        core, moved = below_movement(base)
        found = one_plus_exp(core) if n > 1 else None
        if found is None:
            continue
        scale, x = found
        new = moved_again(scalar("exp", power_product([(scalar("softplus", x), 1.0)], n)), moved)
        number = c * product.coefficient * scale**n
        return Rewrite(total.without(term).plus(new, number).node(node), {"x": x})
    return None


RULES: tuple[Rule, ...] = (
    log_of_known,
    log_of_exponentials,
    log_of_product,
    log_of_power,
    log_of_one_plus,
    log1p_of_known,
    exp_of_log,
    product_of_exponentials,
)
ACCURATE: tuple[Rule, ...] = (power_of_one_plus_exp,)
