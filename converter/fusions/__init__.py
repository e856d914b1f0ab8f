"""Rewrites of the TFLite graph, in the order in which they run; one per file."""

from __future__ import annotations

from collections.abc import Callable

from converter.fusions.activations import fuse_activations
from converter.fusions.affine import fold_affine
from converter.fusions.copies import copy_shared_values
from converter.fusions.parts import slice_used_parts
from converter.fusions.reshapes import collapse_reshapes
from converter.fusions.sinking import sink_reshapes
from converter.tflite_graph import TfliteGraph

FUSIONS: tuple[Callable[[TfliteGraph], None], ...] = (
    sink_reshapes,
    collapse_reshapes,
    fold_affine,
    fuse_activations,
    slice_used_parts,
    copy_shared_values,
)
