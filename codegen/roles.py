"""What each public function of a module says of itself, and what the parts of it are called."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Role:
    """A function of the contract: its docstring, and what the parts of its result are called.

    In the docstring the shape of the examples' values is to be filled in.
    """

    doc: str
    parts: tuple[str, ...]


ROLES: dict[str, Role] = {
    "forward": Role("The output.", ("{}",)),
    "loss": Role("The loss: a number.", ("loss",)),
    "backward": Role(
        "(loss, grads): the loss, and its gradient for each trainable parameter.",
        ("loss", "d_{}"),
    ),
    "hvp": Role(
        "The Hessian of the loss times v; v and the result have the keys of grads.", ("Hv_{}",)
    ),
    "per_example_sq_norms": Role(
        "For each trainable parameter, the squared norm of each example's own gradient: {}.",
        ("s_{}",),
    ),
    "per_example_norms": Role(
        "The norm of each example's own gradient over all trainable parameters: {}.",
        ("norms",),
    ),
    "backward_with_norms": Role(
        "(loss, grads, sq_norms): backward and per_example_sq_norms in one pass.",
        ("loss", "d_{}", "s_{}"),
    ),
    "clipped_backward": Role(
        "(loss, grads, norms): each example's gradient is scaled by min(1, max_norm / norm).",
        ("loss", "d_{}", "norms"),
    ),
    "clipped_by_parameter": Role(
        "clipped_backward with a bound and norms for each trainable parameter, in dicts.",
        ("loss", "d_{}", "norm_{}"),
    ),
    "weighted_backward": Role(
        "(loss, grads, sq_norms): each example's gradient times its weight(sq_norms).",
        ("loss", "d_{}", "s_{}"),
    ),
    "ggn_vp": Role("The generalised Gauss-Newton matrix of the loss times v.", ("Gv_{}",)),
    "fisher_vp": Role(
        "The Fisher information, over targets drawn from the model, times v.", ("Fv_{}",)
    ),
    "empirical_fisher_vp": Role(
        "The reduction over examples of g (g . v), g being each one's own gradient.", ("Fv_{}",)
    ),
    "fisher_diagonal": Role(
        "The reduction over examples of the squares of each one's own gradient.", ("F_{}",)
    ),
    "noise_scale": Role(
        "(noise_scale, trace, sq_norm): the gradients' covariance over their mean's square.",
        ("scale", "trace", "sq_norm"),
    ),
    "_regularizer_gradient": Role(
        "The gradient of what the loss adds to its examples', for the check.", ("d_{}",)
    ),
}
