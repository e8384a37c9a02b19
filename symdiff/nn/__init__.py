"""Functions of networks, by topic, and the one table of what formulas may call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from symdiff.expr import build
from symdiff.nn import (
    activations,
    attention,
    contrast,
    convolution,
    embeddings,
    losses,
    normalization,
    pooling,
    recurrent,
    synonyms,
    units,
)

_BUILD = """
    exp expm1 log log1p sqrt square abs absolute sign sin cos tan sinh cosh tanh arctan arcsinh
    arctanh arccosh arcsin arccos log2 log10 exp2
    erf sigmoid softplus relu logaddexp hypot maximum minimum clip where power
    add subtract multiply divide negative
    less less_equal greater greater_equal equal not_equal
    sum mean var std max min prod norm logsumexp cumsum softmax log_softmax
    matmul dot inner vdot outer tensordot einsum trace diag diagonal tril triu
    transpose swapaxes reshape ravel broadcast_to expand_dims squeeze concatenate stack flip pad
    split tile repeat roll moveaxis
    one_hot take take_along_axis arange eye zeros ones zeros_like ones_like stop_gradient
""".split()
_ACTIVATIONS = """
    relu6 leaky_relu elu selu celu gelu silu mish softsign hard_tanh hard_sigmoid hard_silu
    log_sigmoid squareplus glu
""".split()
_LOSSES = """
    cross_entropy softmax_cross_entropy kl_divergence binary_cross_entropy sigmoid_cross_entropy
    squared_error absolute_error huber hinge multiclass_hinge gaussian_nll poisson_nll focal
""".split()
_CONTRAST = "cosine_similarity contrastive triplet info_nce masked_sum masked_mean".split()
_NORMALIZATION = "layer_norm rms_norm group_norm batch_norm".split()
_EMBEDDINGS = "embedding embedding_bag".split()
_CONVOLUTION = "conv1d conv2d conv_transpose1d conv_transpose2d".split()
_POOLING = """
    max_pool1d max_pool2d avg_pool1d avg_pool2d global_avg_pool global_max_pool flatten
""".split()
_RECURRENT = "rnn lstm gru".split()
_SYNONYMS = """
    reciprocal cbrt logit xlogy xlog1py entr rel_entr kl_div erfc ndtr log_ndtr sinc heaviside
    average
    hstack vstack full full_like diff logical_and logical_or logical_not
""".split()
_UNITS = "prelu maxout low_rank dropout".split()

FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    **{name: getattr(build, name) for name in _BUILD},
    **{name: getattr(activations, name) for name in _ACTIVATIONS},
    **{name: getattr(losses, name) for name in _LOSSES},
    **{name: getattr(contrast, name) for name in _CONTRAST},
    **{name: getattr(normalization, name) for name in _NORMALIZATION},
    **{name: getattr(embeddings, name) for name in _EMBEDDINGS},
    **{name: getattr(convolution, name) for name in _CONVOLUTION},
    **{name: getattr(pooling, name) for name in _POOLING},
    **{name: getattr(recurrent, name) for name in _RECURRENT},
    **{name: getattr(units, name) for name in _UNITS},
    **{name: getattr(synonyms, name) for name in _SYNONYMS},
    **synonyms.OTHER_NAMES,
    "log_expit": activations.log_sigmoid,
    "swish": activations.silu,
    "hard_swish": activations.hard_silu,
    "attention": attention.attention,
    "array": build.constant,
}
