"""Get an ONNX model from bytes or a file, its external data read from the model's own folder only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import AttributeProto, GraphProto, ModelProto, TensorProto

from converter.errors import ConversionError


def load_model(model: ModelProto | bytes | str | Path) -> ModelProto:
    """Load a model with all its weights inside.

    Raises ConversionError for a missing file, bytes that are no ONNX model, and external data that is absent, too
    short, or outside the folder of the model.
    """
    if isinstance(model, ModelProto):
        return _self_contained(model, "the given model")
    if isinstance(model, bytes):
        return _self_contained(_parse(model, "the given bytes"), "the given bytes")
    path = Path(model)
    if not path.is_file():
        raise ConversionError(f"{path}: no such file; give the path of an ONNX model")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConversionError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    parsed = _parse(content, str(path))
    for tensor in _external_tensors(parsed.graph):
        _embed(tensor, path.parent)
    return parsed


def _parse(content: bytes, what: str) -> ModelProto:
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except DecodeError as error:
        raise ConversionError(f"{what}: not an ONNX model, or a truncated one; export it again") from error
    if not model.graph.output:
        raise ConversionError(f"{what}: not an ONNX model: it holds no graph with outputs; export it again")
    return model


def _self_contained(model: ModelProto, what: str) -> ModelProto:
    for tensor in _external_tensors(model.graph):
        raise ConversionError(
            f"{what}: initializer '{tensor.name}' lies in an external file, which only a path can reach; "
            "give the path of the model, or save it with its weights inside"
        )
    return model


def _external_tensors(graph: GraphProto) -> Iterator[TensorProto]:
    for tensor in graph.initializer:
        if tensor.data_location == TensorProto.EXTERNAL:
            yield tensor
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.GRAPH:
                yield from _external_tensors(attribute.g)
            elif attribute.type == AttributeProto.TENSOR and attribute.t.data_location == TensorProto.EXTERNAL:
                yield attribute.t


def _embed(tensor: TensorProto, folder: Path) -> None:
    fields = {entry.key: entry.value for entry in tensor.external_data}
    location = fields.get("location", "")
    path = (folder / location).resolve()
    if not location or not path.is_relative_to(folder.resolve()):
        raise ConversionError(
            f"initializer '{tensor.name}': its external data '{location}' lies outside the model's folder; "
            "put the file beside the model and save the model again"
        )
    if not path.is_file():
        raise ConversionError(
            f"initializer '{tensor.name}': its external data '{location}' is missing beside the model; copy it there"
        )
    try:
        offset = int(fields.get("offset", "0"))
        length = int(fields.get("length", path.stat().st_size - offset))
    except ValueError as error:
        raise ConversionError(
            f"initializer '{tensor.name}': offset and length of its external data must be numbers; save it again"
        ) from error
    if offset < 0 or length < 0 or offset + length > path.stat().st_size:
        raise ConversionError(
            f"initializer '{tensor.name}': its external data '{location}' is truncated: bytes {offset} to "
            f"{offset + length} of {path.stat().st_size}; copy the file again"
        )
    with path.open("rb") as stream:
        stream.seek(offset)
        tensor.raw_data = stream.read(length)
    tensor.data_location = TensorProto.DEFAULT
    del tensor.external_data[:]
