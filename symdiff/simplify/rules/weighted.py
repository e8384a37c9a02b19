"""Weights beside exponentials, and softmax seen through contractions.

Weights go into the exponents, as their logarithms, where a sum of exponentials is normalised or
taken the logarithm of; a softmax that is normalised only after a contraction is one before it.
"""

from symdiff.expr.algebra import linear_combination, power_product, scalar
from symdiff.expr.contraction import contract
from symdiff.expr.graph import rebuild, substitute
from symdiff.expr.movement import reduction
from symdiff.expr.node import Node
from symdiff.expr.views import expand_dims
from symdiff.simplify.parts import (
    as_like,
    below_movement,
    common_exponent,
    core_of,
    moved_again,
    product_of,
    sum_of,
)
from symdiff.simplify.rewrite import Context, Rewrite, Rule, rule
from symdiff.simplify.rules.exponentials import (
    known_log,
)
from symdiff.simplify.rules.softmax import softmax_of_exponentials


def weights_and_exponential(node: Node) -> Node | None:
    """Σ w eᶻ as Σ e^(z + log w), where each other factor is positive and stands along z's axes."""
    if node.op != "contract" or len(node.inputs) < 2:
        return None
    indices, out = node.attr("indices"), node.attr("out")
    for at, (x, names) in enumerate(zip(node.inputs, indices, strict=True)):
        if x.op != "exp" or len(set(names)) < len(names) or not set(out) <= set(names):
            continue
        pieces: list[tuple[Node, float]] = [(x.inputs[0], 1.0)]
        for i, (w, own) in enumerate(zip(node.inputs, indices, strict=True)):
            if i == at:
                continue
            power = known_log(w) if w.op == "exp" else None
            if power is None:
                if not w.facts.positive:
                    break
                power = scalar("log", w)
            if not set(own) <= set(names) or len(set(own)) < len(own):
                break
            sizes = dict(zip(names, x.shape, strict=True))
            if any(sizes[n] != s for n, s in zip(own, w.shape, strict=True)):
                break
            pieces.append((contract([power], [own], names, sizes), 1.0))
        else:
            whole = scalar("exp", linear_combination(pieces))
            return as_like(contract([whole], [names], out), node)
    return None


@rule("stabler", "log", "mul")
def weights_into_exponents(node: Node, context: Context) -> Rewrite | None:
    """log Σ w eᶻ = log Σ e^(z + log w), and below a line, for w > 0"""
    for base, e in product_of(node if node.op == "mul" else node.inputs[0]).factors.items():
        if node.op == "mul" and (e > 0 or base.ndim == 0):
            continue
        core, moved = below_movement(base)
        found = weights_and_exponential(core)
        if found is None:
            continue
        new = moved_again(found, moved)
        if node.op == "mul":
            result = product_of(node).without(base).times(new, e).node(node)
        else:
            inside = product_of(node.inputs[0]).without(base).times(new, e)
            result = scalar("log", inside.node(node.inputs[0]))
        return Rewrite(as_like(result, node), {"x": core}, core.facts.declared)
    return None


def _below_chain(node: Node, wanted: Node) -> list[tuple[Node, int]] | None:
    """The linear operations, outermost first, through which a node is made of ``wanted``."""
    chain: list[tuple[Node, int]] = []
    while len(chain) < _DEEP:
        if node.op == "contract":
            if wanted in node.inputs and node.inputs.count(wanted) == 1:
                return [*chain, (node, node.inputs.index(wanted))]
            inner = [i for i, x in enumerate(node.inputs) if x.op in _LINEAR]
            inner = [i for i in inner if _reaches(node.inputs[i], wanted)]
            if len(inner) != 1:
                return None
            chain.append((node, inner[0]))
            node = node.inputs[inner[0]]
        elif node.op in _LINEAR and (at := _linear_place(node, wanted)) is not None:
            chain.append((node, at))
            node = node.inputs[at]
        else:
            return None
    return None


def _linear_place(node: Node, wanted: Node) -> int | None:
    """The operand that a node is linear in, of which it is made of ``wanted``."""
    if node.op != "mul":
        return 0
    found = [i for i, x in enumerate(node.inputs) if _reaches(x, wanted)]
    return found[0] if len(found) == 1 and node.attr("exponents")[found[0]] == 1 else None


_DEEP = 8
_LINEAR = ("contract", "reshape", "slice", "flip", "take", "mul")


def _reaches(node: Node, wanted: Node, depth: int = _DEEP) -> bool:
    if node is wanted:
        return True
    if node.op not in _LINEAR or depth == 0:
        return False
    return any(_reaches(x, wanted, depth - 1) for x in node.inputs)


@rule("stabler", "mul", needs=("exp", "pow"))
def softmax_in_contraction(node: Node, context: Context) -> Rewrite | None:
    """Σ v w eᶻ / Σ w eᶻ = Σ v softmax(z + log w), for w ≥ 0"""
    product = product_of(node)
    for below, e in product.factors.items():
        if e >= 0 or below.ndim or below.op != "contract":
            continue
        at = next((i for i, x in enumerate(below.inputs) if _weighted(x) is not None), None)
        if at is None or below.inputs.count(below.inputs[at]) > 1:
            continue
        shifted = _log_weighted(below, at)
        if shifted is None:
            continue
        power, weights = shifted
        exponential = below.inputs[at]
        q = reduction("softmax", power, tuple(range(power.ndim)))
        for above, f in product.factors.items():
            if f <= 0:
                continue
            new = _with_softmax(above, exponential, below, at, q, bool(weights))
            k = common_exponent(f, -e, above)
            if k == 0:
                continue
            if new is None and above is exponential:
                same = [w for w in weights if w.shape == above.shape or w.ndim == 0]
                if all(product.factors.get(w, 0.0) >= k for w in same) and same == weights:
                    new = q
                    for w in weights:
                        product = product.times(w, -k)
            if new is not None:
                result = product.times(above, -k).times(below, k).times(new, k)
                facts = frozenset().union(*(w.facts.declared for w in weights))
                facts |= exponential.facts.declared
                return Rewrite(result.node(node), {"z": power}, facts)
    return None


def _weighted(x: Node) -> Node | None:
    """log(w eᶻ), for w ≥ 0: what is not the exponential is weights."""
    if x.op == "exp":
        return x.inputs[0]
    if x.op == "pow" and x.inputs[0].facts.positive:
        return power_product([(x.inputs[1], 1.0), (scalar("log", x.inputs[0]), 1.0)])
    if x.op != "mul" or x.attr("coefficient") != 1:
        return None
    terms, exponentials = [], 0
    for base, e in product_of(x).factors.items():
        if base.op == "exp":
            exponentials += 1
            terms.append((base.inputs[0], e))
        elif base.facts.nonnegative:
            terms.append((scalar("log", base), e))
        else:
            return None
    return linear_combination(terms) if exponentials else None


def _log_weighted(total: Node, at: int) -> tuple[Node, list[Node]] | None:
    """(z + log w, the weights) of Σ w eᶻ over all axes; None unless w ≥ 0."""
    x, names = total.inputs[at], total.attr("indices")[at]
    own_power = _weighted(x)
    if own_power is None or len(set(names)) < len(names):
        return None
    pieces, weights = [(own_power, 1.0)], []
    sizes = dict(zip(names, x.shape, strict=True))
    for i, (w, own) in enumerate(zip(total.inputs, total.attr("indices"), strict=True)):
        if i == at:
            continue
        aligned = set(own) <= set(names) and len(set(own)) == len(own)
        if not aligned or not w.facts.nonnegative:
            return None
        if any(sizes[n] != s for n, s in zip(own, w.shape, strict=True)):
            return None
        weights.append(w)
        pieces.append((contract([scalar("log", w)], [own], names, sizes), 1.0))
    return linear_combination(pieces), weights


def _with_softmax(
    above: Node, exponential: Node, below: Node, at: int, q: Node, weighted: bool
) -> Node | None:
    """The numerator with softmax in the exponential's place, the weights gone with it."""
    chain = _below_chain(above, exponential)
    if chain is None:
        return None
    inner, place = chain[-1]
    if inner.op != "contract":
        return None
    pairs = list(zip(inner.inputs, inner.attr("indices"), strict=True))
    names = pairs[place][1]
    rename = dict(zip(below.attr("indices")[at], names, strict=True))
    drop = []
    for i, (w, own) in enumerate(zip(below.inputs, below.attr("indices"), strict=True)):
        if i == at:
            continue
        wanted = w, tuple(rename[n] for n in own)
        free = [j for j, pair in enumerate(pairs) if pair == wanted and j not in drop]
        if not free:
            return None
        drop.append(free[0])
    kept = [(q if i == place else x, n) for i, (x, n) in enumerate(pairs) if i not in drop]
    new = contract(
        [x for x, _ in kept], [n for _, n in kept], inner.attr("out"), dict(inner.attr("sizes"))
    )
    new = as_like(new, inner)
    for user, i in reversed(chain[:-1]):
        new = rebuild(user, [*user.inputs[:i], new, *user.inputs[i + 1 :]])
    return new


@rule("stabler", "mul")
def softmax_over_weight(node: Node, context: Context) -> Rewrite | None:
    """softmax(z + n log w) / wᵏ = wⁿ⁻ᵏ e^(z − logsumexp(z + n log w)), right also where w = 0"""
    product = product_of(node)
    for soft, e in product.factors.items():
        if soft.op != "softmax" or e != 1:
            continue
        u, axes = soft.inputs[0], soft.attr("axes")
        total = sum_of(u)
        for term, c in total.terms.items():
            core, moved = below_movement(term)
            if core.op != "log" or c <= 0:
                continue
            weight = moved_again(core.inputs[0], moved)
            k = -product.factors.get(weight, 0.0)
            if not 0 < k <= c:
                continue
            low = expand_dims(reduction("logsumexp", u, axes), axes)
            power = total.without(term).plus(low, -1.0).node(u)
            result = product.without(soft, weight).times(scalar("exp", power), 1.0)
            result = result.times(weight, c - k)
            return Rewrite(result.node(node), {"w": weight})
    return None


@rule("stabler", "mul")
def sigmoid_over_weight(node: Node, context: Context) -> Rewrite | None:
    """σ(z + n log w) / wᵏ = wⁿ⁻ᵏ e^(z − softplus(z + n log w)), right also where w = 0"""
    product = product_of(node)
    for soft, e in product.factors.items():
        if soft.op != "sigmoid" or e != 1:
            continue
        (u,) = soft.inputs
        total = sum_of(u)
        for term, c in total.terms.items():
            core, moved = below_movement(term)
            if core.op != "log":
                continue
            weight = moved_again(core.inputs[0], moved)
            k = -product.factors.get(weight, 0.0)
            if 0 < k <= c:
                power = total.without(term).plus(scalar("softplus", u), -1.0).node(u)
                result = product.without(soft, weight).times(scalar("exp", power), 1.0)
                return Rewrite(result.times(weight, c - k).node(node), {"w": weight, "z": u})
    return None


@rule("stabler", "mul", needs=("exp",))
def share_of_known(node: Node, context: Context) -> Rewrite | None:
    """x / Σx = softmax(log x), where the logarithm of x has a closed form"""
    product = product_of(node)
    above = {core_of(x) for x, e in product.factors.items() if e > 0}
    for base, e in product.factors.items():
        core = core_of(base)
        if e >= 0 or core.op != "contract" or len(core.inputs) != 1:
            continue
        (x,) = core.inputs
        power = known_log(x) if x.op == "add" and x in above else None
        if power is None:
            continue
        (made,) = substitute([node], {x: scalar("exp", power)})
        found = softmax_of_exponentials(made, context)
        if found is not None:
            return Rewrite(found.node, {"x": x})
    return None


RULES: tuple[Rule, ...] = (
    softmax_in_contraction,
    weights_into_exponents,
)
ACCURATE: tuple[Rule, ...] = (softmax_over_weight, sigmoid_over_weight, share_of_known)
