"""Writes tests/data/more_cases.json: formulas in many spellings with their true derivatives.

Run as ``python -m tests.simplify.generate_cases``; the formulas stand in tests.simplify.formulas.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.simplify.formulas import TABLE
from tests.simplify.formulas.variables import Row
from tests.simplify.truth import derivative

FILE = Path(__file__).parent.parent / "data" / "more_cases.json"

#: Sums of probabilities that cancel: what is left is as small as their own rounding.
CANCEL = dict.fromkeys(
    (
        *("nll_label_difference", "kl_softmaxes", "ce_one_hot_where", "entropy_log_softmax"),
        *("softmax_weighted_sum", "softmax_dot", "softmax_matmul", "mixture_responsibilities"),
        *("masked_softmax_where", "focal_softmax_exp", "softmax_jacobian", "attention_batch"),
        *("attention_wrt_q", "infonce", "pearson", "zscore_sum", "standardise", "layer_norm"),
        *("normalise", "cosine_similarity", "distill_rows", "ldam_margin", "clip_symmetric"),
        *("hellinger_softmax", "mutual_info"),
    ),
    2e-15,
)


def entry(name: str, row: Row) -> dict[str, Any]:
    """One case, with its true derivative at both points."""
    text, wrt, variables, *more = row
    order, direction = (*more, *(1, None)[len(more) :])
    inputs: dict[str, Any] = {}
    points: dict[str, dict[str, Any]] = {"benign": {}, "stress": {}}
    for key, (benign, stress, facts) in variables.items():
        dtype = "int64" if "labels" in facts else "float64"
        inputs[key] = {"shape": list(np.shape(benign)), "dtype": dtype, "facts": facts}
        points["benign"][key], points["stress"][key] = benign, stress
    whole = frozenset(key for key, made in inputs.items() if made["dtype"] == "int64")
    found: dict[str, Any] = {
        f"{kind}_value_f64": derivative(text, wrt, point, order, direction, whole).tolist()
        for kind, point in points.items()
    }
    return {
        "id": name,
        "derivative": "hvp" if direction else "hessian" if order == 2 else "gradient",
        "wrt": wrt,
        **({"hvp_vector": direction} if direction else {}),
        "inputs": inputs,
        "naive_numpy": text,
        "rtol": 1e-11,
        "atol": CANCEL.get(name, 0.0),
        "benign_point": points["benign"],
        "stress_point": points["stress"],
        **found,
    }


def generate(table: Mapping[str, Row] = TABLE) -> dict[str, Any]:
    """All cases, as the file holds them."""
    about = "Formulas and their true derivatives; written by tests/simplify/generate_cases.py."
    return {"about": about, "cases": [entry(name, row) for name, row in table.items()]}


if __name__ == "__main__":
    FILE.write_text(json.dumps(generate(), indent=1) + "\n", encoding="utf-8")
