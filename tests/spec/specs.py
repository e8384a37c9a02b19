"""Specs that several tests start from."""

DIGITS = """\
name   = "digits"
dtype  = "float32"
output = "q"

[dims]
hidden = 128

[inputs]
x = { shape = ["batch", 64] }
y = { shape = ["batch"], labels = 10 }

[parameters]
W1 = { shape = [64, "hidden"], init = "he_normal" }
b1 = { shape = ["hidden"] }
W2 = { shape = ["hidden", 10], init = "glorot_uniform" }
b2 = { shape = [10] }

[equations]
h = "relu(x @ W1 + b1)"
z = "h @ W2 + b2"
q = "softmax(z)"

[loss]
per_example = "cross_entropy(q, y)"
reduction   = "mean"
regularizer = "0.5 * 1e-4 * (sum(W1**2) + sum(W2**2))"
"""

LAYERED = """\
name = "digits"
dtype = "float32"
[inputs]
x = { shape = ["batch", 64] }
y = { shape = ["batch"], labels = 10 }
[[layers]]
kind = "dense"
units = 128
activation = "relu"
[[layers]]
kind = "dense"
units = 10
[loss]
kind = "softmax_cross_entropy"
l2 = 1e-4
"""

SMALL = """\
name = "small"
[inputs]
x = { shape = ["batch", 3] }
y = { shape = ["batch"] }
[parameters]
w = { shape = [3] }
[equations]
z = "x @ w"
[loss]
per_example = "squared_error(z, y)"
"""
