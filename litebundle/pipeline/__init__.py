"""pipeline.toml: what the service needs, the stages, how they join, what each may lose (docs/pipeline.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litebundle.pipeline.folding import Affine as Affine
from litebundle.pipeline.folding import foldable_normalize as foldable_normalize
from litebundle.pipeline.labels import read_labels as read_labels
from litebundle.pipeline.model import Budget as Budget
from litebundle.pipeline.model import Input as Input
from litebundle.pipeline.model import Metric as Metric
from litebundle.pipeline.model import Pipeline as Pipeline
from litebundle.pipeline.model import Quantize as Quantize
from litebundle.pipeline.model import Requirements as Requirements
from litebundle.pipeline.model import Stage as Stage

if TYPE_CHECKING:
    from litebundle.pipeline.compile import compile_graph as compile_graph
    from litebundle.pipeline.load import load_pipeline as load_pipeline
    from litebundle.pipeline.shapes import check_shapes as check_shapes

_LAZY = {"compile_graph": "compile", "load_pipeline": "load", "check_shapes": "shapes"}


def __getattr__(name: str) -> Any:
    # Lazy, because these know the glue and with it numpy.
    if name not in _LAZY:
        raise AttributeError(f"module 'litebundle.pipeline' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"litebundle.pipeline.{_LAZY[name]}"), name)
