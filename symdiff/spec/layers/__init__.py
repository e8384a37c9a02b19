"""The kinds of [[layers]], in one table; each topic has a file of its own with its part of it."""

from __future__ import annotations

from collections.abc import Mapping

from symdiff.spec.layers import dense, images, normal, recurrent, sequence, units
from symdiff.spec.layers.writing import LayerKind

KINDS: Mapping[str, LayerKind] = {
    **dense.KINDS,
    **images.KINDS,
    **normal.KINDS,
    **recurrent.KINDS,
    **sequence.KINDS,
    **units.KINDS,
}
