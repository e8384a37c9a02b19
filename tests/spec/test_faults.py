"""Every fault of a spec is reported in one run, each on its line, none following from another."""

from __future__ import annotations

import pytest

from symdiff.errors import SpecError, listing
from symdiff.spec.layers import KINDS
from symdiff.spec.load import load, load_text
from tests.spec.specs import DIGITS, LAYERED, SMALL


def faults(text: str) -> list[str]:
    """The faults of a spec, without the file's name."""
    with pytest.raises(SpecError) as caught:
        load_text(text, "m.toml")
    lines = caught.value.lines
    return [line.removeprefix("m.toml:").replace(": error: ", " ", 1) for line in lines]


TEN_MISTAKES = """\
name   = "my model"
dtype  = "float16"
output = "qq"

[dims]
hidden = 0

[inputs]
x = { shape = ["batch", 64], sum_to_one = true }
y = { shape = ["batch"], labels = 10 }
t = { shape = [3, "batch"] }

[parameters]
W1 = { shape = [64, 32], init = "he_norml" }
b1 = { shape = [32] }
W2 = { shape = [32, 10] }
x  = { shape = [2] }

[equations]
h = "relux(x @ W2 + b1)"
a = "b1 @ W2 + bb"
z = "b1 @ W2 @ W2"
lambda = "a"

[loss]
per_example = "cross_entropy(softmax(x), y) + later"
regularizer = "sum(x)"
"""


def test_a_spec_with_more_than_ten_mistakes_names_each_of_them() -> None:
    assert faults(TEN_MISTAKES) == [
        "1:10 'my model' is not a name: letters, digits and underscores, no digit first",
        "2:10 expected 'float32' or 'float64', got 'float16'; did you mean 'float64'?",
        "3:10 no equation is called 'qq'",
        "6:10 expected a size of at least 1, got 0",
        "9:30 unknown key 'sum_to_one'; did you mean 'sums_to_one'?",
        "11:19 the example axis 'batch' can only be axis 0",
        "14:33 expected 'he_normal', 'glorot_uniform', 'glorot_normal', 'normal', 'uniform', "
        "'zeros', 'ones' or 'constant', got 'he_norml'; did you mean 'he_normal'?",
        "17:1 parameter 'x' has the name of the input on line 9",
        "20:6 unknown function 'relux'; did you mean 'relu'?",
        "20:12 x @ W2: matmul: x of shape (batch, 64) and W2 of shape (32, 10): the inner sizes "
        "64 and 32 differ",
        "21:16 unknown name 'bb'",
        "22:6 b1 @ W2 @ W2: matmul: a product of shape (10,) and W2 of shape (32, 10): the inner "
        "sizes 10 and 32 differ",
        "23:1 'lambda' is a Python keyword and cannot be a name",
        "26:47 unknown name 'later'",
        "27:15 regularizer is of parameters only; it uses x",
    ]


def test_what_rests_on_a_fault_is_not_reported_again() -> None:
    assert faults(DIGITS.replace("relu(x", "reluu(x")) == [
        "19:6 unknown function 'reluu'; did you mean 'relu'?"
    ]


def changed(old: str, new: str, spec: str = SMALL) -> str:
    """The spec with one thing changed."""
    assert spec.count(old) == 1
    return spec.replace(old, new)


ONE_FAULT = {
    "output": ('output = "zz"\n' + SMALL, "1:10 no equation is called 'zz'; did you mean 'z'?"),
    "twice": ('output = ["z", "z"]\n' + SMALL, "1:10 one name stands twice among the outputs"),
    "unknown table": (SMALL + "[optimizer]\n", "11:1 unknown key 'optimizer'; expected dims, "
                      "dtype, equations, functions, inputs, layers, loss, name, output or "
                      "parameters"),
    "misplaced": ('reduction = "sum"\n' + SMALL, "1:1 unknown key 'reduction'; it belongs in "
                  "[loss]"),
    "section": ("loss = 3\n" + SMALL.split("[loss]")[0], "1:1 expected a table [loss]"),
    "no loss": (SMALL.split("[loss]")[0], "1:1 missing table [loss]"),
    "no name": (changed('name = "small"\n', ""), "1:1 missing key 'name'"),
    "no shape": (changed("shape = [3]", "trainable = true"), "6:1 missing key 'shape'"),
    "no formula": (changed("per_example = ", "per_exampl = "), "9:1 missing key 'per_example'|"
                   "10:1 unknown key 'per_exampl'; did you mean 'per_example'?"),
    "entry": (changed("w = { shape = [3] }", "w = [3]"), "6:5 expected a table such as "
              "{ shape = [...] }"),
    "size": (changed('"batch", 3]', '"batch", -3]'), "3:25 expected a size of at least 1, got -3"),
    "size kind": (changed("shape = [3]", "shape = [1.5]"), "6:16 expected a size (a whole number "
                  "or a name), got 1.5"),
    "size name": (changed("shape = [3]", 'shape = ["x"]'), "6:16 the shape of 'w': 'x' is the name "
                  "of the input, no size"),
    "batch parameter": (changed("shape = [3]", 'shape = ["batch"]'), "6:16 a parameter has no "
                        "example axis 'batch'"),
    "batch fixed": (changed("[inputs]", "[dims]\nbatch = 4\n[inputs]"), "3:1 'batch' is the "
                    "example axis; it is read from the data"),
    "constant": (changed("shape = [3]", 'shape = [3], init = "constant"'), "6:27 init 'constant' "
                 "needs value = ..."),
    "value": (changed("shape = [3]", "shape = [3], value = 2"), "6:20 value is for init = "
              '"constant" only'),
    "range": (changed('"batch", 3]', '"batch", 3], range = [2, 1]'), "3:37 expected [lowest, "
              "highest] in that order, got [2, 1]"),
    "symmetric": (changed('"batch", 3]', '"batch", 3], symmetric = true'), "3:29 symmetric needs a "
                  "square matrix; 'x' is none by its shape"),
    "ignore": (changed('"batch", 3]', '"batch", 3], ignore = -1'), "3:29 ignore names a label that "
               "counts nothing; it needs labels = ..."),
    "label facts": (changed('"batch", 3]', '"batch", 3], labels = 2, positive = true'), "3:41 'x' "
                    "holds labels; positive cannot be declared of them"),
    "labels": (changed('"batch", 3]', '"batch", 3], labels = "many"'), "3:38 the number of labels "
               "'many' is the size of nothing; fix it under [dims] or use it in a shape"),
    "dunder": (changed("z =", "__z__ ="), "8:1 '__z__' is reserved: a name cannot begin and end "
               "with two underscores|10:30 unknown name 'z'"),
    "below": (changed('z = "x @ w"', 'z = "2 * a"\na = "x @ w"'), "8:10 'a' is declared below; a "
              "formula uses only names above it"),
    "itself": (changed('"x @ w"', '"z + x @ w"'), "8:6 'z' is declared below; a formula uses only "
               "names above it"),
    "not text": (changed('"x @ w"', "3"), "8:5 expected a string, got 3"),
    "function": (changed("[equations]", '[functions]\n"f" = "2"\n[equations]'), "8:1 expected a "
                 "function such as \"swish(x, beta)\", got 'f'"),
    "function body": (changed("[equations]", '[functions]\n"f(a)" = "w * a"\n[equations]'), "8:11 "
                      "parameter 'w' is not seen in here: it must be given as an argument"),
    "function itself": (changed("[equations]", '[functions]\n"f(a)" = "f(a)"\n[equations]'), "8:11 "
                        "'f' is declared below; a formula uses only names above it"),
    "parameters": (changed("[equations]", '[functions]\n"f(a, a)" = "a"\n[equations]'), "8:1 "
                   "function 'f' has two parameters of one name"),
    "function call": (changed("[equations]", '[functions]\n"f(a)" = "a @ a"\n[equations]').replace(
        "x @ w", "f(x)"), "10:6 in f: a @ a: matmul: x of shape (batch, 3) and x of shape "
        "(batch, 3): the inner sizes 3 and batch differ"),
    "scalar loss": (changed("squared_error(z, y)", "mean(z)"), "10:15 per_example has shape (), "
                    "expected (batch,): one loss per example; leave the mean to reduction"),
    "wide loss": (changed("squared_error(z, y)", "x"), "10:15 per_example has shape (batch, 3), "
                  "expected (batch,): one loss per example"),
    "regularizer": (SMALL + 'regularizer = "w"\n', "11:15 regularizer has shape (3,), expected a "
                    "scalar"),
    "regularizer of data": (SMALL + 'regularizer = "batch * sum(x * w)"\n', "11:15 regularizer is "
                            "of parameters only; it uses x and batch"),
    "layers": ("layers = {}\n" + SMALL, "1:1 expected [[layers]]"),
    "kind": (changed("per_example = \"squared_error(z, y)\"", 'kind = "squared_error"'),
             "10:1 kind is about the last of [[layers]]; write per_example = \"...\""),
    "l2": (SMALL + "l2 = 0.1\n", "11:1 l2 is about [[layers]]; write regularizer = \"...\""),
    "target": (SMALL + 'target = "y"\n', "11:1 target belongs to kind = ...; per_example names its "
               "own"),
    "reduction": (SMALL + 'reduction = "median"\n', "11:13 expected 'mean' or 'sum', got 'median'; "
                  "did you mean 'mean'?"),
    "flag": (changed("shape = [3]", 'shape = [3], trainable = "no"'), "6:32 expected true or "
             "false, got 'no'"),
    "inside": (changed('"x @ w"', '"""\n  x @\n  ww"""'), "10:3 unknown name 'ww'; did you mean "
               "'w'?"),
    "escape": (changed('"x @ w"', '"x \\u0040 ww"'), "8:15 unknown name 'ww'; did you mean 'w'?"),
}  # fmt: skip


@pytest.mark.parametrize("what", ONE_FAULT)
def test_a_fault_has_its_place_and_its_reason(what: str) -> None:
    text, expected = ONE_FAULT[what]
    assert faults(text) == expected.split("|")


def test_a_line_that_is_no_toml_does_not_hide_the_other_faults() -> None:
    text = DIGITS.replace("hidden = 128", "hidden = = 128").replace("softmax(z)", "softmx(z)")
    assert faults(text) == [
        "6:10 this is not TOML: invalid value",
        "21:6 unknown function 'softmx'; did you mean 'softmax'?",
    ]


def test_a_key_given_twice_is_a_fault_at_the_second() -> None:
    text = SMALL + 'per_example = "y"\n'
    assert faults(text) == ["11:1 this is not TOML: cannot overwrite a value"]


@pytest.mark.parametrize("text", ["x", "= 3\n", '[loss\nname = "n"', 'a = """', "a = [1,\n"])
def test_text_that_is_no_toml_at_all(text: str) -> None:
    assert "this is not TOML" in faults(text)[0]


def test_nesting_without_end_is_a_fault() -> None:
    assert faults("a = " + "[" * 20000) == ["1:1 the file is nested too deeply"]


LAYER_FAULTS = {
    "regularizer of data": (SMALL + 'regularizer = "batch * sum(x * w)"\n', "11:15 regularizer is "
                            "of parameters only; it uses x and batch"),
    "layers": ("layers = {}\n" + SMALL, "1:1 expected [[layers]]"),
    "kind": (changed('kind = "dense"\nunits = 10', 'kind = "dens"', LAYERED), "11:8 unknown layer "
             f"kind 'dens'; expected {listing([*KINDS])}; did you mean 'dense'?"),
    "later kind": (changed('kind = "dense"\nunits = 10', 'kind = "quark"', LAYERED), "11:8 unknown "
                   f"layer kind 'quark'; expected {listing([*KINDS])}"),
    "no kind": (changed('kind = "dense"\nunits = 10', "units = 10", LAYERED), "10:1 missing key "
                f"'kind'; expected {listing([*KINDS])}"),
    "no units": (changed("units = 10", "bias = true", LAYERED), "10:1 missing key 'units'"),
    "key": (changed("units = 10", "units = 10\nunit = 3", LAYERED), "13:1 unknown key 'unit'; did "
            "you mean 'units'?"),
    "activation": (changed('"relu"', '"rellu"', LAYERED), "9:14 unknown activation 'rellu'; did "
                   "you mean 'relu'?"),
    "shape": (changed('"relu"', '"sum"', LAYERED), "9:14 activation 'sum' turns shape (batch, 128) "
              "into (); it must keep the shape"),
    "arguments": (changed('"relu"', '"relu(3)"', LAYERED), "6:1 relu(x @ W1 + b1, 3): relu(x @ W1 "
                  "+ b1, 3): too many positional arguments; it is relu(x)"),
    "loss kind": (changed('"softmax_cross_entropy"', '"softmax"', LAYERED), "14:8 unknown loss "
                  "kind 'softmax'; expected softmax_cross_entropy, sigmoid_cross_entropy, "
                  "cross_entropy, binary_cross_entropy, squared_error, absolute_error, huber, "
                  "hinge, multiclass_hinge, gaussian_nll, poisson_nll, focal or kl_divergence"),
    "loss shape": (changed('"softmax_cross_entropy"', '"squared_error"', LAYERED), "14:8 "
                   "squared_error compares elements, but the output 'h2' has shape (batch, 10) and "
                   "the target 'y' (batch,)"),
    "target": (changed("l2 = 1e-4", 'target = "yy"', LAYERED), "15:10 no input is called 'yy'; did "
               "you mean 'y'?"),
    "l2": (changed("1e-4", "-1", LAYERED), "15:6 expected a number of at least 0, got -1.0"),
    "both": (LAYERED + 'per_example = "y"\n', "14:1 kind and per_example both say what the loss "
             "is; keep one"),
    "equations": (changed("[loss]", '[equations]\nq = "x"\n[loss]', LAYERED), "13:1 [[layers]] "
                  "stand for the equations; a spec has one or the other"),
    "name": (changed("y =", "W2 =", LAYERED), "10:1 parameter 'W2' has the name of the input on "
             "line 5"),
    "rank": (changed('["batch", 64]', '["batch"]', LAYERED), "6:1 dense needs (batch, ..., "
             "features); 'x' has shape (batch,)"),
    "residual": (changed('kind = "dense"\nunits = 10', 'kind = "residual"\n[[layers.layers]]\n'
                         'kind = "dense"\nunits = 1', LAYERED), "10:1 residual adds 'h1' of shape "
                 "(batch, 128) to 'h2' of shape (batch, 1); they must be the same"),
    "empty": (changed('kind = "dense"\nunits = 10', 'kind = "residual"\nlayers = []', LAYERED),
              "12:10 a residual block needs layers"),
}  # fmt: skip


@pytest.mark.parametrize("what", LAYER_FAULTS)
def test_a_fault_of_a_layer_has_its_place_and_its_reason(what: str) -> None:
    text, expected = LAYER_FAULTS[what]
    assert faults(text) == expected.split("|")


def test_blocks_nested_without_end_are_a_fault() -> None:
    deep = "".join(f'[[{".".join(["layers"] * n)}]]\nkind = "residual"\n' for n in range(1, 60))
    said = faults(LAYERED.split("[[layers]]")[0] + deep + '[loss]\nkind = "squared_error"\n')
    assert said == ["46:1 residual blocks are nested more than 20 deep"]


def test_a_spec_is_read_without_running_anything_in_it() -> None:
    spec = SMALL.replace("x @ w", "__import__('os').system('exit')")
    with pytest.raises(SpecError, match=r"unknown method \.system"):
        load(spec)
