"""Do the values that the graph makes fit the models that take them?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from litebundle.graph import PHOTO, Graph, Node
from litebundle.pipeline.compile import JoinError
from litebundle.pipeline.model import Input, Pipeline, Stage
from litebundle.toml import Loc

Shape = tuple[int | None, ...]
"""None: a length that differs from photo to photo."""

Attributes = Mapping[str, Any]


def check_shapes(pipeline: Pipeline, graph: Graph, model_outputs: Mapping[str, Sequence[int]] | None = None) -> None:
    """Compare what each model is given with the input shape it has.

    Args:
        pipeline: Its stages' input shapes are the models'.
        graph: Compiled from the pipeline.
        model_outputs: "stage/tensor" -> shape as the converted model really computes it (4-D as NHWC). Before
            the conversion nothing is known of model outputs (a declared ONNX shape may lie), and only glue is
            checked.

    Raises:
        JoinError: A shape that does not fit, with the stage's place in pipeline.toml.
    """
    known: dict[str, Shape] = {PHOTO: (None, None, 3)}
    real = {name: tuple(shape) for name, shape in (model_outputs or {}).items()}
    for node in graph.nodes:
        index = [stage.name for stage in pipeline.stages].index(str(node.stage))
        loc: Loc = ("stage", index)
        stage = pipeline.stages[index]
        if node.op == "model":
            _check_inputs(loc, stage, stage.inputs, node.inputs, known)
            known.update({name: real[name] for name in node.outputs if name in real})
        elif node.op == "autoregressive_decode":
            constants = {item.name: item for item in stage.inputs}
            fed = [constants[name] for name in node.attributes["constants"]]
            _check_inputs(loc, stage, fed, node.inputs, known)
            _check_states(loc, stage, node, real)
        else:
            _follow_glue(loc, node, known)


def _check_inputs(
    loc: Loc, stage: Stage, inputs: Sequence[Input], values: Sequence[str], known: Mapping[str, Shape]
) -> None:
    for item, value in zip(inputs, values, strict=True):
        shape = known.get(value)
        place: Loc = (*loc, "inputs", stage.inputs.index(item), "shape")
        if shape is None or shape == item.graph_shape:
            continue
        wanted = f"input {item.name!r} is {_text(item.graph_shape)}{' (as NHWC)' if item.channels_first else ''}"
        if None in shape and _may_fit(shape, item.graph_shape):
            raise JoinError(
                place,
                f"{wanted} but {value!r} has a size that differs from photo to photo, {_text(shape)}; fix it "
                "with resize, letterbox or pad in before",
            )
        raise JoinError(place, f"{wanted} but {value!r}, which it is given, is {_text(shape)}; change one of them")


def _check_states(loc: Loc, stage: Stage, node: Node, real: Mapping[str, Shape]) -> None:
    shapes = {item.name: item.graph_shape for item in stage.inputs}
    for state, output in node.attributes["state"].items():
        shape = real.get(f"{stage.name}/{output}")
        if shape is not None and shape != shapes[state]:
            raise JoinError(
                (*loc, "loop", "state"),
                f"output {output!r} is {_text(shape)} and cannot become state {state!r}, which is "
                f"{_text(shapes[state])}",
            )


def _may_fit(shape: Shape, wanted: Shape) -> bool:
    return len(shape) == len(wanted) and all(a is None or a == b for a, b in zip(shape, wanted, strict=True))


def _follow_glue(loc: Loc, node: Node, known: dict[str, Shape]) -> None:
    """Note the shape of the node's first output, if its input's is known and its operation has a rule."""
    shape = known.get(node.inputs[0])
    rule = _FIRST_OUTPUT.get(node.op)
    if shape is None or rule is None:
        return
    if node.op == "normalize":
        _check_channels(loc, node, shape[-1])
    known[node.outputs[0]] = rule(node.attributes, shape)


def _check_channels(loc: Loc, node: Node, channels: int | None) -> None:
    for key in ("mean", "std"):
        count = len(node.attributes[key])
        if count not in (1, channels):
            raise JoinError(
                (*loc, "before"),
                f"normalize has {count} values of {key} for {channels} channels; give 1 or {channels}",
            )


def _sized(attributes: Attributes, shape: Shape) -> Shape:
    return (*attributes["size"], shape[-1])


def _batched(attributes: Attributes, shape: Shape) -> Shape:
    return (1, *shape)


_FIRST_OUTPUT: Mapping[str, Callable[[Attributes, Shape], Shape]] = {
    "convert_color": lambda attributes, shape: (*shape[:2], 1 if attributes["to"] == "gray" else 3),
    "resize": _sized,
    "letterbox": _sized,
    "fit_height": lambda attributes, shape: (attributes["height"], None, shape[-1]),
    "crop_boxes": lambda attributes, shape: (None, None, shape[-1]),
    "rotate_upright": lambda attributes, shape: (None, None, shape[-1]),
    "normalize": _batched,
    "to_tensor": _batched,
    "pad": lambda attributes, shape: (1, *attributes["size"], shape[-1]),
}


def _text(shape: Shape) -> str:
    return "[" + ", ".join("?" if length is None else str(length) for length in shape) + "]"
