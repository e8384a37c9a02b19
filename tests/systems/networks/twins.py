"""The networks of this folder in jax: functions of parameters and data, written from their specs.

A twin takes the parameters and the inputs by name and gives (z, losses): a value of the network,
and the losses per example as a function of that value.  The module's output is z, or what OUTPUTS
says.  Where ``losses`` sees the parameters by z alone, Gauss-Newton products can be compared too;
PARTLY names the others.  REGULARIZERS are Ω.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jax.nn import gelu, selu, sigmoid, silu, softplus

from tests.systems.networks import parts as n

Twin: TypeAlias = Callable[..., tuple[Any, Callable[[Any], Any]]]
relu = n.unit_relu


def mobile(p: Any, image: Any, label: Any) -> Any:
    h = n.conv(image, p["W1"], 2, [(1, 1), (0, 1)])
    h = silu(n.group_norm(h, 2, p["g2"], p["o2"]))
    h = n.conv(h, p["W3"], 1, 1, (1, 2), groups=4) + n.spread(p["b3"])
    h = n.conv(h, p["W4"]) + n.spread(p["b4"])
    h = jnp.clip(h, 0, 6).mean((2, 3))
    return h @ p["W5"] + p["b5"], lambda z: n.entropy(z, label, 0.1)


def resnet(p: Any, x: Any, y: Any) -> Any:
    def gate(h: Any) -> Any:
        return h * sigmoid(1.702 * h)

    s = n.conv(x, p["stem"], 1, 1)
    s = (s - n.spread(p["mean0"])) / jnp.sqrt(n.spread(p["var0"]) + 1e-5)
    h = gate(s * n.spread(p["g0"]) + n.spread(p["o0"]))
    h = h + gate(n.conv(h, p["K1"], 1, 1) * n.spread(p["g1"]))
    h = n.conv(h, p["short"], 2) + n.conv(gate(h), p["K2"], 2, 1)
    z = relu(h).mean((2, 3)) @ p["W"] + p["b"]
    return z, lambda z: n.entropy(z, y, weights=jnp.array([1.0, 2.0, 0.5]))


def resnet_layers(p: Any, x: Any, y: Any) -> Any:
    h = n.conv(x, p["W1"], 1, 1) + n.spread(p["b1"])
    r = n.conv(h, p["W2"], 1, 1)
    r = (r - n.spread(p["mean3"])) / jnp.sqrt(n.spread(p["var3"]) + 1e-5)
    r = softplus(r * n.spread(p["g3"]) + n.spread(p["o3"]))
    r = n.conv(r, p["W4"], 1, 1) + n.spread(p["b4"])
    h = n.max_pool(relu(h + r), 3, 2, 1)
    z = h.reshape(len(h), -1) @ p["W5"] + p["b5"]
    return z, lambda z: n.entropy(z, y, ignore=-1)


def unet(p: Any, x: Any, mask: Any, y: Any) -> Any:
    down = softplus(n.conv(x, p["K1"], 1, 1) + n.spread(p["b1"]))
    bottom = jnp.tanh(n.conv(n.max_pool(down, 2, 2), p["K2"], 1, 1) + n.spread(p["b2"]))
    up = n.conv_transpose(bottom, p["U"], 2)
    z = n.conv(jnp.concatenate([down, up], 1), p["K3"], 1, 1)[:, 0] + p["b3"]
    return z, lambda z: n.masked_mean(n.logistic(z, y, 3.0), mask, (1, 2))


def tcn(p: Any, series: Any, future: Any) -> Any:
    h = relu(n.conv(series, p["A"], 1, [(1, 0)]) + p["a"])
    for gap in (2, 4):
        h = h + jnp.tanh(n.conv(h, p["B"], 1, [(gap, 0)], gap) + p["b"])
    z = h[:, :, -1] @ p["w"] + p["c"]

    def losses(z: Any) -> Any:
        e = jnp.abs(z - future)
        return jnp.where(e <= 0.5, 0.5 * e**2, 0.5 * (e - 0.25))

    return z, losses


def bigru(p: Any, words: Any, length: Any, tags: Any) -> Any:
    table = p["E"].at[0].set(jax.lax.stop_gradient(p["E"][0]))
    x, inside = table[words], jnp.arange(words.shape[1]) < length[:, None]
    f = n.recur(n.step_gru, x, p["Wf"], p["Uf"], p["bf"], mask=inside)
    r = n.recur(n.step_gru, x, p["Wb"], p["Ub"], p["bb"], p["cb"], mask=inside, reverse=True)
    z = jnp.concatenate([f, r], -1) @ p["V"] + p["v"]
    return z, lambda z: n.entropy(z, tags, ignore=-1).sum(1)


def stacked_lstm(p: Any, ids: Any, seen: Any, next: Any) -> Any:
    h = n.recur(n.step_lstm, p["E1"][ids], p["W2"], p["U2"], p["b2"], mask=seen, states=2)
    h = n.recur(n.step_lstm, h, p["W3"], p["U3"], mask=seen, states=2)
    z = n.layer_norm(h, p["g4"], p["o4"]) @ p["E1"].T + p["b5"]
    return z, lambda z: n.masked_mean(n.entropy(z, next), seen, 1)


def rnn_regression(p: Any, x: Any, y: Any) -> Any:
    h = n.recur(n.step_rnn(softplus), x, p["W1"], p["U1"], p["b1"], reverse=True)
    h = n.recur(n.step_rnn(jnp.tanh), h, p["W2"], p["U2"], p["b2"])[:, -1]
    return jnp.sin(h @ p["W3"] + p["b3"]), lambda z: jnp.abs(z - y).mean(1)


def _seq2seq(p: Any, source: Any, real: Any, target: Any) -> Any:
    memory = n.recur(n.step_gru, source, p["We"], p["Ue"], p["be"], mask=real)
    start = memory[:, -1]
    d = n.recur(n.step_gru, p["T"][target], p["Wd"], p["Ud"], p["bd"], start=start)
    where_to = n.softmax(d @ p["A"] @ jnp.swapaxes(memory, 1, 2), real[:, None, :] > 0)
    context = where_to @ memory
    return jnp.tanh(jnp.concatenate([d, context], -1) @ p["C"]) @ p["T"].T, where_to


def seq2seq(p: Any, source: Any, real: Any, target: Any, wanted: Any) -> Any:
    z, _ = _seq2seq(p, source, real, target)
    return z, lambda z: n.entropy(z, wanted, ignore=-100).mean(-1)


def translator(p: Any, text: Any, source: Any, real: Any, next: Any) -> Any:
    def attention(x: Any, memory: Any, number: int, seen: Any) -> Any:
        q, k, v = (
            h @ p[f"W{c}{number}"] + p[f"b{c}{number}"]
            for c, h in zip("qkv", (x, memory, memory), strict=True)
        )
        return n.attend(q, k, v, 2, seen) @ p[f"Wo{number}"] + p[f"bo{number}"]

    def norm(x: Any, number: int) -> Any:
        return n.layer_norm(x, p[f"g{number}"], p[f"o{number}"])

    h = p["E1"][text] + p["P2"][: text.shape[1]]
    h = norm(h + attention(h, h, 3, n.past(text.shape[1])), 4)
    h = norm(h + attention(h, source, 5, real[:, None, :] > 0), 6)
    h = norm(h + relu(h @ p["W7"] + p["b7"]) @ p["W8"] + p["b8"], 9)
    return h @ p["E1"].T + p["b10"], lambda z: n.entropy(z, next, 0.05).sum(1)


def deep_transformer(p: Any, x: Any, present: Any, y: Any) -> Any:
    seen = present[:, None, :] > 0
    h = n.rms_norm(x, p["g1"])
    r = x + n.attend(*(h @ p[f"W{c}2"] for c in "qkv"), 2, seen) @ p["Wo2"]
    r = r + silu(n.rms_norm(r, p["g3"]) @ p["W4"]) @ p["W5"]
    h = n.layer_norm(r, p["g6"], p["o6"])
    a = n.attend(*(h @ p[f"W{c}7"] + p[f"b{c}7"] for c in "qkv"), 1, seen)
    r = r + a @ p["Wo7"] + p["bo7"]
    h = gelu(n.layer_norm(r, p["g8"], p["o8"]) @ p["W9"] + p["b9"])
    r = r + h @ p["W10"] + p["b10"]
    return n.rms_norm(r, p["g11"]) @ p["W12"] + p["b12"], lambda z: ((z - y) ** 2).sum((1, 2))


def vit(p: Any, x: Any, y: Any) -> Any:
    rows = [x[:, :, i : i + 3, j : j + 3].reshape(len(x), -1) for i in (0, 3) for j in (0, 3)]
    first = jnp.zeros((len(x), 1, 4)) + p["cls"]
    t = jnp.concatenate([first, jnp.stack(rows, 1) @ p["P"]], 1) + p["pos"]
    h = n.layer_norm(t, p["g"], p["o"])
    a = t + n.attend(h @ p["Wq"], h @ p["Wk"], h @ p["Wv"], 2) @ p["Wo"]
    h = gelu(n.layer_norm(a, p["g"], p["o"]) @ p["U"] + p["u"], approximate=False)
    return (a + h @ p["V"])[:, 0] @ p["H"], lambda z: n.entropy(z, y)


def _mixture(p: Any, x: Any) -> Any:
    h = jnp.tanh(x @ p["W"] + p["b"])
    means = (h @ p["Wm"] + p["bm"]).reshape(-1, 3, 2)
    return jax.nn.softmax(h @ p["Wp"]), means, jnp.exp(h @ p["Ws"])


def mixture(p: Any, x: Any, t: Any) -> Any:
    def losses(z: Any) -> Any:
        weights, means, sigmas = z
        square = ((t[:, None] - means) ** 2).sum(-1)
        logs = jnp.log(weights) - square / (2 * sigmas**2) - jnp.log(2 * jnp.pi * sigmas**2)
        return -jax.nn.logsumexp(logs, axis=-1)

    return _mixture(p, x), losses


def _vae(p: Any, x: Any, noise: Any) -> Any:
    h = relu(x @ p["W1"] + p["b1"])
    mu, logvar = h @ p["Wm"], h @ p["Ws"]
    z = mu + jnp.exp(logvar / 2) * noise
    return jnp.tanh(z @ p["W2"] + p["b2"]) @ p["W3"] + p["b3"], mu, logvar


def vae(p: Any, x: Any, noise: Any) -> Any:
    def losses(z: Any) -> Any:
        logits, mu, logvar = z
        kl = (jnp.exp(logvar) + mu**2 - 1 - logvar).sum(1) / 2
        return n.logistic(logits, x).sum(1) + 0.3 * kl

    return _vae(p, x, noise), losses


def triplets(p: Any, anchor: Any, like: Any, unlike: Any, w: Any) -> Any:
    def unit(x: Any) -> Any:
        v = relu(x @ p["W"] + p["b"]) @ p["V"]
        return v / jnp.sqrt((v**2).sum(-1, keepdims=True) + 1e-12)

    def losses(z: Any) -> Any:
        a, like, unlike = z
        return w * relu(((a - like) ** 2).sum(-1) - ((a - unlike) ** 2).sum(-1) + 0.7)

    return (unit(anchor), unit(like), unit(unlike)), losses


def deepsets(p: Any, members: Any, there: Any, count: Any, hours: Any) -> Any:
    pooled = n.masked_mean(jnp.tanh(members @ p["W"] + p["b"]), there[..., None], 1)
    rate = softplus(jnp.tanh(pooled @ p["V"] + p["c"]) @ p["r"] + p["s"])
    return rate, lambda z: hours * z - count * jnp.log(hours * z)


def dlrm(p: Any, dense: Any, user: Any, item: Any, tags: Any, y: Any) -> Any:
    d = relu(dense @ p["W"] + p["b"])
    real = (tags != 0)[..., None]
    bag = (p["Et"][tags] * real).sum(1) / jnp.maximum(real.sum(1), 1)
    f = [d, p["Eu"][user], p["Ei"][item], bag]
    pairs = [(f[i] * f[j]).sum(-1) for i in range(4) for j in range(i + 1, 4)]
    h = jnp.concatenate([d, jnp.stack(pairs, 1)], 1)
    return relu(h @ p["V"] + p["c"]) @ p["v"], lambda z: n.logistic(z, y)


def factorization_machine(p: Any, where_on: Any, values: Any, y: Any) -> Any:
    vx = p["V"][where_on] * values[..., None]
    pairs = sum((vx[:, i] * vx[:, j]).sum(-1) for i in range(4) for j in range(i))
    z = p["bias"] + (p["w"][where_on] * values).sum(1) + pairs
    return z, lambda z: softplus(-y * z)


def units(p: Any, x: Any, keep: Any, y: Any) -> Any:
    h = x @ (p["U1"] @ p["V1"]) + p["b1"]
    h = jnp.where(h > 0, h, p["a2"] * h) * keep / 0.6
    h = (h @ p["W3"] + p["b3"]).reshape(-1, 4, 3).max(-1)
    h = n.layer_norm(h, p["g4"])
    h = jnp.where(h > 0, h, p["a5"] * h)
    return h @ p["W6"] + p["b6"], lambda z: relu(1 - y * z[:, 0])


def weight_norm(p: Any, x: Any, y: Any) -> Any:
    W = p["V"] / jnp.sqrt((p["V"] ** 2).sum(0)) * p["g"]
    h = jnp.tanh(p["s"] * x @ W)
    k = jnp.tanh(p["s"] * h @ W.T)
    return p["s"] * k @ (p["U"] @ p["R"] + p["frozen"]), lambda z: n.entropy(z / 2, y)


def focal_tags(p: Any, x: Any, y: Any, importance: Any) -> Any:
    h = x @ p["W"] + p["b"]

    def losses(z: Any) -> Any:
        right = jnp.where(y > 0, jax.nn.log_sigmoid(z), jax.nn.log_sigmoid(-z))
        alpha = jnp.where(y > 0, 0.25, 0.75)
        return importance * (-alpha * (1 - jnp.exp(right)) ** 1.5 * right).sum(1)

    return jnp.where(h > 0, h, 0.1 * h) @ p["V"], losses


def svm(p: Any, x: Any, y: Any) -> Any:
    def losses(z: Any) -> Any:
        other = jnp.arange(z.shape[-1]) != y[:, None]
        right = jnp.take_along_axis(z, y[:, None], 1)
        return (jnp.where(other, relu(z - right + 1), 0.0) ** 2).sum(1)

    return x @ p["W"] + p["b"], losses


def heteroscedastic(p: Any, x: Any, y: Any) -> Any:
    h = silu(x @ p["W"] + p["b"])

    def losses(z: Any) -> Any:
        mean, precision = z["mean"], z["precision"]
        square = precision * (y - mean) ** 2
        return 0.5 * (square - jnp.log(precision)).mean(1)

    return {"mean": h @ p["M"], "precision": softplus(h @ p["S"]) + 1e-3}, losses


def distillation(p: Any, x: Any, teacher: Any, y: Any) -> Any:
    def losses(z: Any) -> Any:
        soft = (teacher * (jnp.log(teacher) - jax.nn.log_softmax(z / 2))).sum(-1)
        return 0.3 * n.entropy(z, y) + 2.8 * soft

    return selu(x @ p["W"] + p["b"]) @ p["V"], losses


def _retrieval(p: Any, words: Any) -> Any:
    return jnp.tanh(p["E"][words].mean(-2) @ p["W"])


def retrieval(p: Any, question: Any, answers: Any) -> Any:
    query, found = _retrieval(p, question), _retrieval(p, answers)
    z = jnp.einsum("bd,bkd->bk", query, found) * jnp.exp(-p["log_t"])
    return z, lambda z: -jax.nn.log_softmax(z)[:, 0]


def multitask(p: Any, x: Any, tall: Any, what: Any) -> Any:
    def swish(x: Any) -> Any:
        return x * sigmoid(p["a"] * x)

    h = swish(x @ p["W"] + p["b"])
    z = {"height": swish(h @ p["w"]), "kind": h @ p["V"]}

    def losses(z: Any) -> Any:
        first = jnp.exp(-p["s1"]) * (z["height"] - tall) ** 2 + p["s1"]
        return first + jnp.exp(-p["s2"]) * n.entropy(z["kind"], what) + p["s2"]

    return z, losses


def pointer(p: Any, x: Any, length: Any, place: Any) -> Any:
    inside = jnp.arange(x.shape[1]) < length[:, None]
    scores = jnp.tanh(x @ p["W"] + p["q"]) @ p["v"]

    def losses(z: Any) -> Any:
        hit = (jnp.arange(z.shape[1]) == place[:, None]) & inside
        return -jnp.where(hit, jax.nn.log_softmax(jnp.where(inside, z, -1e9)), 0).sum(1)

    return scores, losses


def gcn(p: Any, nodes: Any, edges: Any, y: Any) -> Any:
    A = edges + jnp.eye(nodes.shape[1])
    d = A.sum(-1) ** -0.5
    L = jnp.einsum("bi,bij,bj->bij", d, A, d)
    h = relu(L @ (nodes @ p["W1"]))
    h = h + jnp.tanh(L @ (h @ p["W2"]))
    return h.sum(1) @ p["w"], lambda z: jnp.abs(z - y)


def experts(p: Any, x: Any, y: Any) -> Any:
    gate = jax.nn.softmax(x @ p["G"])
    each = [gelu(x @ p["W"][e] + p["b"][e]) @ p["V"][e] * gate[:, e, None] for e in range(3)]
    return sum(each), lambda z: ((z - y) ** 2).mean(-1)


def hyper(p: Any, task: Any, x: Any, y: Any) -> Any:
    W = (task @ p["A"] + p["a"]).reshape(-1, 2, 4)
    z = jnp.einsum("bth,bh->bt", jnp.tanh(x @ W), jnp.tanh(task @ p["B"]))
    return z, lambda z: ((z - y) ** 2).mean(1)


def flow(p: Any, x: Any) -> Any:
    a, b = x[:, :2], x[:, 2:]
    s1 = jnp.tanh(a @ p["S1"] + p["c"])
    b = b * jnp.exp(s1) + a @ p["T1"]
    s2 = jnp.tanh(b @ p["S2"] + p["c"])
    a = a * jnp.exp(s2) + jnp.tanh(b) @ p["T2"]
    z = (jnp.concatenate([a, b], 1), s1.sum(1) + s2.sum(1))
    return z, lambda z: 0.5 * (z[0] ** 2).sum(1) + jnp.log(4 * jnp.pi**2) - z[1]


def kim_cnn(p: Any, ids: Any, keep: Any, y: Any) -> Any:
    x = jnp.swapaxes(p["E"][ids], 1, 2)
    two = jnp.tanh(n.conv(x, p["K2"]) + p["b2"]).max(-1)
    three = jnp.tanh(n.conv(x, p["K3"], 1, 1) + p["b3"]).max(-1)
    h = jnp.concatenate([two, three], 1) * keep * 2
    return h @ p["W"], lambda z: n.entropy(z, y)


def _skipgram(p: Any, center: Any, words: Any) -> Any:
    return (p["Out"][words] * p["In"][center].reshape(-1, *[1] * (words.ndim - 1), 4)).sum(-1)


def skipgram(p: Any, center: Any, around: Any, noise: Any) -> Any:
    z = _skipgram(p, center, around), _skipgram(p, center, noise)
    return z, lambda z: softplus(-z[0]).sum(1) + softplus(z[1]).sum((1, 2))


def rbf(p: Any, x: Any, y: Any) -> Any:
    d2 = ((x[:, None] - p["C"]) ** 2).sum(-1)
    return jnp.exp(-d2 * jnp.exp(p["log_width"])) @ p["w"], lambda z: (z - y) ** 2 / 2


def ordinal(p: Any, x: Any, grade: Any) -> Any:
    cuts = p["first"][0] + jnp.cumsum(jnp.concatenate([jnp.zeros(1), softplus(p["gaps"])]))
    below = sigmoid(cuts - (x @ p["w"])[:, None])
    one = jnp.ones((len(x), 1))
    z = jnp.diff(jnp.concatenate([0 * one, below, one], 1))
    return z, lambda z: -jnp.log(z[jnp.arange(len(z)), grade])


def rotary(p: Any, ids: Any, next: Any, loss_mask: Any) -> Any:
    time = ids.shape[1]
    x = n.rms_norm(p["E"][ids], p["g"])
    angle = jnp.arange(time)[:, None] * jnp.array([1.0, 0.1])
    turn = jnp.exp(1j * angle)

    def turned(h: Any) -> Any:
        c = (h[..., :2] + 1j * h[..., 2:]) * turn
        return jnp.concatenate([c.real, c.imag], -1)

    q, k = turned(x @ p["Wq"]), turned(x @ p["Wk"])
    far = jnp.arange(time)[:, None] - jnp.arange(time)
    scores = jnp.einsum("bqd,bkd->bqk", q, k) / 2 - p["slope"] * far
    z = (x + n.softmax(scores, far >= 0) @ (x @ p["Wv"])) @ p["E"].T
    return z, lambda z: n.masked_mean(n.entropy(z, next), loss_mask, 1)


def squeeze(p: Any, x: Any, y: Any) -> Any:
    h = n.group_norm(n.conv(x, p["K"]), 4, p["g"], p["o"])
    s = sigmoid(relu(h.mean((2, 3)) @ p["A"]) @ p["B"])
    h = h * s[:, :, None, None]
    r = (h[..., :-1, :-1] + h[..., 1:, :-1] + h[..., :-1, 1:] + h[..., 1:, 1:]) / 4
    return r.reshape(len(r), -1) @ p["W"], lambda z: n.entropy(z, y)


def quantiles(p: Any, x: Any, y: Any) -> Any:
    levels = jnp.array([0.1, 0.5, 0.9])

    def losses(z: Any) -> Any:
        miss = y[:, None] - z
        return jnp.where(miss > 0, levels * miss, (levels - 1) * miss).sum(1)

    return jax.nn.elu(x @ p["W"] + p["b"]) @ p["V"] + p["c"], losses


def euler(p: Any, x: Any, y: Any) -> Any:
    h = x
    for _ in range(3):
        h = h + p["dt"] * jnp.tanh(h @ p["W"] + p["b"])
    z = h @ p["W"].T - p["W"][0] * p["dt"]
    return z, lambda z: jnp.sqrt(((z - y) ** 2).sum(1))


def _conv_autoencoder(p: Any, x: Any) -> Any:
    code = n.conv(x, p["K"], 2, 1) + p["b"]
    code = jnp.where(code > 0, code, 0.2 * code)
    return code, n.conv_transpose(code, p["K"], 2, 1) + p["c"]


def conv_autoencoder(p: Any, x: Any) -> Any:
    z = _conv_autoencoder(p, x)
    return z, lambda z: ((z[1] - x) ** 2).mean((1, 2)) + 0.1 * jnp.abs(z[0]).mean((1, 2))


def segmentation_layers(p: Any, x: Any, y: Any) -> Any:
    h = n.conv(x, p["W1"], 2) + n.spread(p["b1"])
    h = jnp.where(h > 0, h, n.spread(p["a2"]) * h)
    h = jnp.pad(h, [(0, 0), (0, 0), (1, 1), (1, 1)])
    h = (h[..., :-1, :-1] + h[..., 1:, :-1] + h[..., :-1, 1:] + h[..., 1:, 1:]) / 4
    up = [n.conv_transpose(h[:, 2 * g : 2 * g + 2], p["W3"][2 * g : 2 * g + 2], 3) for g in (0, 1)]
    h = gelu(jnp.concatenate(up, 1) + n.spread(p["b3"]))
    z = n.conv(h, p["W4"]) + n.spread(p["b4"])
    return z, lambda z: n.logistic(z, y, 2.0).sum((1, 2, 3))


def tiny32(p: Any, bag: Any, amount: Any, y: Any) -> Any:
    h = (p["E1"][bag] * (amount * (bag != 0))[..., None]).sum(1)
    h = jnp.tanh(h @ p["W2"] + p["b2"])
    h = h + gelu(n.layer_norm(h, p["g3"], p["o3"]) @ p["W4"] + p["b4"])
    return h @ p["W5"] + p["b5"], lambda z: n.entropy(z, y, ignore=-1)


def masked_conv(p: Any, x: Any) -> Any:
    before = jnp.array([[1.0, 1, 1], [1, 0, 0], [0, 0, 0]])
    h = relu(n.conv(x, p["A"] * before, 1, 1) + n.spread(p["a"]))
    z = n.conv(h, p["B"] * before.at[1, 1].set(1), 1, 1) + p["b"]
    return z, lambda z: n.logistic(z, x).sum((1, 2, 3))


def graph_attention(p: Any, nodes: Any, edges: Any, y: Any) -> Any:
    h = nodes @ p["W"]
    raw = (h @ p["left"])[:, :, None] + (h @ p["right"])[:, None]
    raw = jnp.where(raw > 0, raw, 0.2 * raw)
    seen = (edges > 0) | jnp.eye(nodes.shape[1], dtype=bool)
    z = jax.nn.elu(n.softmax(raw, seen) @ h) @ p["V"]
    return z, lambda z: n.entropy(z, y, ignore=-1).sum(1)


def memory_hops(p: Any, story: Any, question: Any, y: Any) -> Any:
    keys, values = p["A"][story].sum(2) + p["T"], p["C"][story].sum(2)
    u = p["A"][question].sum(1)
    for _ in range(2):
        weights = n.softmax((keys * u[:, None]).sum(-1))
        u = u @ p["H"] + (weights[..., None] * values).sum(1)
    return u @ p["C"].T, lambda z: n.entropy(z, y)


def _lista(p: Any, x: Any) -> Any:
    def shrink(v: Any) -> Any:
        return jnp.sign(v) * relu(jnp.abs(v) - p["theta"])

    b = x @ p["D"].T
    code = shrink(b)
    for _ in range(2):
        code = shrink(b + code @ p["S"])
    return code


def lista(p: Any, x: Any) -> Any:
    code = _lista(p, x)
    z = (code @ p["D"] - x, code)
    return z, lambda z: (z[0] ** 2).sum(1) + 0.1 * jnp.abs(z[1]).sum(1)


def hidden_markov(p: Any, seen: Any) -> Any:
    """A sum of probabilities, each step a product with a matrix."""
    move, emit = jax.nn.softmax(p["move"]), jax.nn.softmax(p["emit"])
    a = jax.nn.softmax(p["start"]) * emit.T[seen[:, 0]]
    for t in range(1, seen.shape[1]):
        a = (a @ move) * emit.T[seen[:, t]]
    return jnp.log(a.sum(1)), lambda z: -z


def inducing(p: Any, members: Any, there: Any, y: Any) -> Any:
    batch, seen = len(members), there[:, None] > 0
    points = jnp.zeros((batch, 1, 1)) + p["I"]
    h = points + n.attend(points, members @ p["Wk"], members @ p["Wv"], 2, seen)
    back = members + n.attend(members, h @ p["Wk"], h @ p["Wv"], 2)
    scores = 0.3 * (back @ p["S"][0])[:, None]
    z = (n.softmax(scores, seen) @ back)[:, 0] @ p["W"]
    return z, lambda z: ((z - y) ** 2).sum(1)


def _hazard(p: Any, x: Any) -> Any:
    return x @ p["W"] + p["b"]


def hazard(p: Any, x: Any, month: Any, died: Any) -> Any:
    def losses(z: Any) -> Any:
        past = jnp.arange(5) <= month[:, None]
        here = z[jnp.arange(len(z)), month]
        return jnp.where(past, softplus(z), 0).sum(1) - died * here

    return _hazard(p, x), losses


def straight_through(p: Any, x: Any, y: Any) -> Any:
    @jax.custom_jvp
    def signs(a: Any) -> Any:
        return jnp.sign(a)

    signs.defjvps(lambda t, out, a: t)

    @jax.custom_jvp
    def small(v: Any) -> Any:
        return jnp.tanh(v)

    small.defjvps(lambda t, out, v: t)
    z = (signs(jnp.clip(x @ p["W"], -1, 1)) * p["scale"]) @ small(p["V"])

    def losses(z: Any) -> Any:
        e = jnp.abs(z - y)
        return jnp.where(e <= 0.3, 0.5 * e**2, 0.3 * e - 0.045).sum(1)

    return z, losses


def batch_norm_training(p: Any, x: Any, y: Any) -> Any:
    return relu(n.standard(x @ p["W"], 0) * p["g"] + p["o"]) @ p["V"], lambda z: n.entropy(z, y)


def contrast_in_batch(p: Any, text: Any, image: Any) -> Any:
    def unit(v: Any) -> Any:
        return v / jnp.sqrt((v**2).sum(1, keepdims=True))

    scores = unit(text @ p["A"]) @ unit(image @ p["B"]).T * jnp.exp(p["t"])
    own = jnp.arange(len(text))
    return scores, lambda z: 0.5 * (n.entropy(z, own) + n.entropy(z.T, own))


def odd_layers(p: Any, x: Any, keep: Any, y: Any) -> Any:
    h = n.conv(x, p["W1"], 2, [(0, 1)], groups=2) + p["b1"][:, None]
    h = h * keep / 0.8
    h = jnp.where(h > 0, h, p["a2"][:, None] * h)
    h = n.conv_transpose(h, p["W3"], 2, 1, 1) + p["b3"][:, None]
    h = jnp.pad(h, [(0, 0), (0, 0), (1, 1)])
    h = (h[..., :-2:2] + h[..., 1:-1:2] + h[..., 2::2]) / 3
    h = n.max_pool(h, 2, 1).max(-1)
    h = jnp.tanh(h + h @ p["U4"] @ p["V4"])
    z = (h @ p["W5"] + p["b5"]) @ p["W6"] + p["b6"]
    return z, lambda z: (jnp.exp(z) - y * z).sum(1)


def states(p: Any, x: Any, context: Any, length: Any, y: Any) -> Any:
    start, inside = jnp.tanh(context @ p["H"]), jnp.arange(x.shape[1]) < length[:, None]
    begin = (start, jnp.zeros_like(start) + p["c0"])
    back = n.recur(
        n.step_lstm, x, p["W"], p["U"], p["b"], start=begin, mask=inside, reverse=True, states=2
    )
    on = n.recur(n.step_rnn(sigmoid), x, p["w"], p["U"][:, :3], start=start, mask=inside)
    z = (back[:, 0] + on[:, -1]) @ p["V"]
    return z, lambda z: jnp.abs(z - y).mean(1)


def only_parameters(p: Any, y: Any, unused: Any) -> Any:
    return p["w"] * p["still"].sum(), lambda z: (y - z) ** 2


def heads_by_hand(p: Any, x: Any, y: Any) -> Any:
    q, k, v = (
        jnp.concatenate([x @ p[name][:, head] for head in (0, 1)], -1) for name in ("Q", "K", "V")
    )
    h = x + n.attend(q, k, v, 2, n.past(x.shape[1])) @ p["O"].reshape(6, 4)
    a, b = jnp.split(h @ p["G"], 2, -1)
    return h + (a * sigmoid(b)) @ p["D"], lambda z: n.entropy(z, y).mean(1)


def many_losses(p: Any, **d: Any) -> Any:
    v = p["v"]
    h = d["x"] @ p["W"] + p["b"]
    z = (jnp.tanh(v * h) + 2 * h) / 3

    def losses(z: Any) -> Any:
        y, logs = d["y"], jax.nn.log_softmax(z)
        kept, label = y != -1, jnp.maximum(y, 0)
        own = z[jnp.arange(len(z)), label][:, None]
        wrong = jnp.arange(3) != label[:, None]
        total = jnp.where(kept, jnp.where(wrong, relu(0.5 + z - own), 0).sum(1), 0)
        total += relu(1 - d["sign"] * z).sum(1) + n.entropy(z, y, ignore=-1)
        total += -((0.8 * d["hot"] + 0.2 / 3) * logs).sum(1)
        total += -(d["soft"] * jnp.array([1.0, 0.5, 2.0]) * logs).sum(1)
        total += (d["soft"] * (jnp.log(d["soft"]) - logs)).sum(1)
        total += (jnp.exp(logs) * (logs - jax.nn.log_softmax(d["other"]))).sum(1)
        total += (n.logistic(z, d["unit"]) + n.logistic(z, d["bits"], v)).mean(1)
        far = jnp.sqrt(((z - d["other"]) ** 2).sum(1))
        total += jnp.where(d["pair"] > 0, far**2, relu(2 - far) ** 2)
        lengths = jnp.sqrt((z**2).sum(1) * (d["other"] ** 2).sum(1))
        total += (z * d["other"]).sum(1) / lengths
        total += -jax.nn.log_softmax(2 * (z[:, None] * d["near"]).sum(-1))[:, 0]
        e = jnp.abs(z - d["other"])
        huber = jnp.where(e < 0.1, 0.5 * e**2, 0.1 * e - 0.005)
        total += (huber * d["bits"]).sum(1) + 0.5 * (v + e**2 / jnp.exp(v)).mean(1)
        total += (jnp.exp(z) - d["unit"] * z).sum(1)
        total += jnp.prod(1 + z**2, axis=1) + z.max(1) - z.min(1) + z[:, 0] + z[:, 1]
        return total + jnp.std(z, axis=1, ddof=1)

    return z, losses


def many_windows(p: Any, x: Any, s: Any, y: Any) -> Any:
    def average(h: Any, size: Any, stride: int) -> Any:
        """The mean of what a window sees of h, beyond whose ends is one place of nothing."""
        rank, ends = h.ndim - 2, [(0, 0), (0, 0)] + [(1, 1)] * (h.ndim - 2)

        def windows(a: Any) -> Any:
            one = jnp.ones((1, 1, *size))
            flat = jnp.pad(a, ends).reshape(-1, 1, *(k + 2 for k in a.shape[2:]))
            return n.conv(flat, one, (stride,) * rank).reshape(*a.shape[:2], *out)

        out = [(k + 2 - w) // stride + 1 for k, w in zip(h.shape[2:], size, strict=True)]
        return windows(h), windows(jnp.ones_like(h))

    c = softplus(n.conv(x, p["K"], (2, 1), [(1, 0), (1, 1)], (2, 1), groups=2))
    total, count = average(c, (2, 3), 1)
    h = total / count
    up = []
    for g in (0, 1):
        own, w = h[:, 2 * g : 2 * g + 2], p["T"][2 * g : 2 * g + 2]
        flat = jnp.zeros((len(x), 2, own.shape[2] + 2, 2 * own.shape[3] + 2))
        for i in range(3):
            for j in range(2):
                part = jnp.einsum("bchw,co->bohw", own, w[:, :, i, j])
                rows = slice(i, i + own.shape[2])
                flat = flat.at[:, :, rows, 2 * j : 2 * j + 2 * own.shape[3] : 2].add(part)
        up.append(flat[:, :, 1:-1])
    u = jnp.concatenate(up, 1)
    m = jnp.pad(u, [(0, 0), (0, 0), (1, 1), (1, 1)], constant_values=-1e30)
    m = jnp.stack([
        m[:, :, i : i + 2 * ((m.shape[2] - 3) // 2) + 1 : 2,
          j : j + 3 * ((m.shape[3] - 3) // 3) + 1 : 3] for i in range(3) for j in range(3)
    ]).max(0)  # fmt: skip
    z = jnp.tanh(m).mean((2, 3)) @ p["A"]
    d = jnp.tanh(n.conv(s, p["k"], 1, 0, 3))
    e = jnp.concatenate([
        n.conv_transpose(d[:, g : g + 1], p["t"][g : g + 1], 2, 1) for g in range(4)
    ], 1)  # fmt: skip
    e = jnp.maximum(e[..., 0:-1:2], e[..., 1::2])
    f, _ = average(e, (3,), 2)
    z = z + (f / 3).mean(2) @ p["A"]
    c = jnp.pad(c, [(0, 0), (0, 0), (1, 0), (0, 2)])
    ends = []
    for size in c.shape[2:]:
        more = 2 * (-(-size // 2) - 1) + 3 - size
        ends.append((more // 2, more - more // 2))
    return z + n.conv(c, p["L"], 2, ends).max((2, 3)), lambda z: ((z - y) ** 2).mean(1)


def _squares(*names: str) -> Callable[[Any], Any]:
    return lambda p: sum((p[name] ** 2).sum() for name in names)


#: What forward gives, of (parameters, inputs by name), where that is not the twin's z.
OUTPUTS: dict[str, Callable[..., Any]] = {
    "seq2seq": lambda p, d: dict(
        zip(("logits", "where_to"), _seq2seq(p, d["source"], d["real"], d["target"]), strict=True)
    ),
    "mixture": lambda p, d: dict(
        zip(("weights", "means", "sigmas"), _mixture(p, d["x"]), strict=True)
    ),
    "vae": lambda p, d: sigmoid(_vae(p, d["x"], d["noise"])[0]),
    "triplets": lambda p, d: triplets(p, **d)[0][0],
    "dlrm": lambda p, d: sigmoid(dlrm(p, **d)[0]),
    "distillation": lambda p, d: jax.nn.softmax(distillation(p, **d)[0]),
    "retrieval": lambda p, d: _retrieval(p, d["question"]),
    "pointer": lambda p, d: jax.nn.log_softmax(
        jnp.where(jnp.arange(d["x"].shape[1]) < d["length"][:, None], pointer(p, **d)[0], -1e9)
    ),
    "flow": lambda p, d: flow(p, **d)[0][0],
    "skipgram": lambda p, d: _skipgram(p, d["center"], d["around"]),
    "conv_autoencoder": lambda p, d: _conv_autoencoder(p, d["x"])[1],
    "memory_hops": lambda p, d: jax.nn.softmax(memory_hops(p, **d)[0]),
    "lista": lambda p, d: _lista(p, d["x"]),
    "hazard": lambda p, d: jnp.cumprod(sigmoid(-_hazard(p, d["x"])), axis=1),
}

REGULARIZERS: dict[str, Callable[[Any], Any]] = {
    "mobile": lambda p: 5e-4 * _squares("W1", "W3", "W4", "W5")(p),
    "resnet": lambda p: 1e-3 * _squares("stem", "K1", "K2")(p),
    "resnet_layers": lambda p: 5e-3 * _squares("W1", "W2", "W4", "W5")(p),
    "dlrm": lambda p: 1e-2 * _squares("Eu", "Ei", "Et")(p),
    "units": lambda p: 1e-2 * _squares("U1", "V1", "W3", "W6")(p),
    "weight_norm": lambda p: (
        ((p["V"].T @ p["V"] - jnp.eye(4)) ** 2).sum() + 0.1 * jnp.abs(p["U"]).sum()
    ),
    "only_parameters": lambda p: p["w"] ** 4,
    "many_losses": lambda p: (
        0.1 * jnp.log(jnp.exp(p["W"]).sum())
        + jnp.log1p(jnp.sqrt((p["b"] ** 2).sum()))
        + 0.01 * (p["W"] ** 2 * p["W"][::-1, ::-1] ** 2).sum()
    ),
    "svm": lambda p: 0.1 * jnp.sqrt((p["W"] ** 2).sum(1)).sum(),
}

TWINS: dict[str, Twin] = {
    f.__name__: f
    for f in (
        mobile, resnet, resnet_layers, unet, tcn, bigru, stacked_lstm, rnn_regression, seq2seq,
        translator, deep_transformer, vit, mixture, vae, triplets, deepsets, dlrm,
        factorization_machine, units, weight_norm, focal_tags, svm, heteroscedastic, distillation,
        retrieval, multitask, pointer, gcn, experts, hyper, flow, kim_cnn, skipgram, rbf, ordinal,
        rotary, squeeze, quantiles, euler, conv_autoencoder, segmentation_layers, tiny32,
        masked_conv, graph_attention, memory_hops, lista, hidden_markov, inducing, hazard,
        straight_through, batch_norm_training, contrast_in_batch, odd_layers, states,
        only_parameters, heads_by_hand, many_losses, many_windows,
    )
}  # fmt: skip
