"""Rewrites of the source graph, in the order in which they run; one per file."""

from __future__ import annotations

from collections.abc import Callable

from converter.graph import Graph
from converter.passes.gelu import recognise_gelu
from converter.passes.hard_swish import recognise_hard_swish
from converter.passes.identities import bypass_identities
from converter.passes.padding import merge_pads

PASSES: tuple[Callable[[Graph], None], ...] = (
    bypass_identities,
    merge_pads,
    recognise_hard_swish,
    recognise_gelu,
)

# operators that have no TFLite form of their own and are read only because a pass may recognise what they belong to
PATTERN_OPERATORS = frozenset({"Erf"})
