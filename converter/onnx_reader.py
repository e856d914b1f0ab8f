"""ONNX model -> typed graph: axes fixed, every shape known, what can be computed ahead computed."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping, Sequence

import numpy as np
import onnx
from onnx import (
    GraphProto,
    ModelProto,
    NodeProto,
    TypeProto,
    ValueInfoProto,
    helper,
    numpy_helper,
)

from converter.errors import ConversionError
from converter.graph import Array, Graph, Node, Value
from converter.onnx_values import (
    NARROWED,
    first_line,
    narrowed,
    numpy_dtype,
    read_array,
    read_attribute,
    read_constant,
    read_initializer,
)

OLDEST_OPSET = 7  # from here on broadcasting is numpy's
LARGEST_FOLDED_ELEMENTS = 1 << 27
SHAPE_DATA_ELEMENTS = 1 << 12
SHAPE_OPS = ("Shape", "Size")  # known as soon as the shape of their input is
UNINFERRED_OPS = ("GroupNormalization",)  # ONNX infers nothing for it; it keeps the shape of its first input
RANDOM_OPS = frozenset(
    {"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Bernoulli", "Multinomial"}
)
NODE_ERRORS = (
    onnx.checker.ValidationError,
    onnx.shape_inference.InferenceError,
    onnx.defs.SchemaError,
    RuntimeError,
    ValueError,
)


def read_graph(model: ModelProto, shapes: Mapping[str, Sequence[int]], supported: Container[str]) -> Graph:
    """Read ``model`` with its inputs fixed to ``shapes`` (source's axes).

    float16 and float64 become float32. Raises ConversionError when an opset, an operator outside ``supported``, a
    shape or a weight stands in the way.
    """
    model = _inlined(model, supported)
    reader = _Reader(model, supported)
    try:
        inputs = reader.read_inputs(shapes)
        reader.read_nodes(model.graph)
    except UnicodeDecodeError as error:
        raise ConversionError(f"the model holds a name that is not UTF-8 ({error}); export it again") from error
    outputs = tuple(dict.fromkeys(output.name for output in model.graph.output))
    for name in outputs:
        if name not in reader.values:
            raise ConversionError(f"output '{name}': no node makes it; export the model again")
    graph = Graph(reader.nodes, reader.values, inputs, outputs)
    graph.remove_dead_nodes()
    return graph


def _inlined(model: ModelProto, supported: Container[str]) -> ModelProto:
    """The model without functions: its own ones, and operators without a rule that ONNX defines by other operators."""
    composed = [
        ("", op) for op in sorted({_operator(node) for node in model.graph.node}) if _is_composed(op, supported)
    ]
    if not model.functions and not composed:
        return model
    from onnx.inliner import inline_local_functions, inline_selected_functions  # few models need it

    try:
        if model.functions:
            model = inline_local_functions(model)
        if composed:
            model = inline_selected_functions(model, composed, inline_schema_functions=True)
    except (RuntimeError, ValueError) as error:
        raise ConversionError(
            f"the functions of the model cannot be inlined: {first_line(error)}; export it inlined"
        ) from error
    return model


def _is_composed(op: str, supported: Container[str]) -> bool:
    if op in supported or not op.isascii() or not onnx.defs.has(op):
        return False
    schema = onnx.defs.get_schema(op)
    return bool(schema.has_function or schema.has_context_dependent_function)


def unsupported(node: Node, used: Iterable[str], supported: Container[str]) -> ConversionError:
    """The error for an operator without a rule; it lists the other such operators of the model."""
    others = sorted(op for op in set(used) - {node.op} if op not in supported)
    also = f" (the model also uses {', '.join(others)})" if others else ""
    return ConversionError(
        f"{node.label()} has no TFLite form in this converter{also}; "
        "express it with supported operators in the source model, or move it out of the model"
    )


class _Reader:
    def __init__(self, model: ModelProto, supported: Container[str]) -> None:
        self.model = model
        self.supported = supported
        self.opsets = {_domain(entry.domain): entry.version for entry in model.opset_import}
        self.context = onnx.checker.C.CheckerContext()
        self.context.ir_version = model.ir_version
        self.context.opset_imports = self.opsets
        self.values: dict[str, Value] = {}
        self.nodes: list[Node] = []
        self._check_opset()

    def _check_opset(self) -> None:
        version = self.opsets.get("", 0)
        newest = onnx.defs.onnx_opset_version()
        if not OLDEST_OPSET <= version <= newest:
            raise ConversionError(
                f"the model uses opset {version}, this converter reads {OLDEST_OPSET} to {newest}; "
                "export the model again with opset_version=18"
            )

    # inputs and constants

    def read_inputs(self, shapes: Mapping[str, Sequence[int]]) -> tuple[str, ...]:
        constants = {tensor.name for tensor in self.model.graph.initializer}
        inputs = [entry for entry in self.model.graph.input if entry.name not in constants]
        names = [entry.name for entry in inputs]
        for name in shapes:
            if name not in names:
                raise ConversionError(f"shape given for '{name}', which is no input; the inputs are {_listed(names)}")
        for entry in inputs:
            if entry.type.WhichOneof("value") != "tensor_type":
                raise ConversionError(f"input '{entry.name}' is no tensor; only tensors can become TFLite inputs")
            tensor_type = entry.type.tensor_type
            shape = _fixed_shape(entry.name, tensor_type, shapes.get(entry.name))
            self._add(Value(entry.name, shape, numpy_dtype(tensor_type.elem_type, f"input '{entry.name}'")))
        return tuple(names)

    def _add(self, value: Value) -> None:
        if value.name in self.values:
            raise ConversionError(f"value '{value.name}' is written twice; export the model again")
        self.values[value.name] = value

    def _add_constant(self, name: str, data: Array) -> None:
        data = narrowed(data)
        self._add(Value(name, data.shape, data.dtype, data))

    # nodes

    def read_nodes(self, graph: GraphProto, outer: Mapping[str, str] | None = None) -> dict[str, str]:
        """Read the nodes of ``graph``; returns how its names, and those of the scopes around it, read when flat."""
        names = dict(outer or {})
        if graph.sparse_initializer:
            raise ConversionError("the model holds sparse initializers; save it with dense weights")
        for tensor in graph.initializer:
            names[tensor.name] = self._fresh(tensor.name, outer)
            self._add_constant(names[tensor.name], read_initializer(tensor))
        live, read = _live_nodes(graph)
        for proto in live:
            # a part that nobody reads keeps its place, other results that nobody reads are not asked for
            kept = [name if name in read or proto.op_type == "Split" else "" for name in proto.output]
            self._read_node(proto, [self._fresh(name, outer) if name else "" for name in kept], names)
        return names

    def _fresh(self, name: str, outer: Mapping[str, str] | None) -> str:
        """Names of a branch may come up again in another one, which the flat graph cannot have."""
        while outer is not None and name in self.values:
            name += "/inner"
        return name

    def _read_node(self, proto: NodeProto, outputs: list[str], names: dict[str, str]) -> None:
        inputs = [names.get(name, name) for name in proto.input]
        node = Node(_operator(proto), proto.name, inputs, outputs, version=self.opsets.get(_domain(proto.domain), 0))
        for name in filter(None, inputs):
            if name not in self.values:
                raise ConversionError(
                    f"{node.label()} reads '{name}', which nothing before it makes; export the model again"
                )
        names.update(zip(proto.output, outputs, strict=True))
        if node.op == "If":
            self._inline_branch(proto, node, names)
        elif node.op == "Constant":
            self._add_constant(node.outputs[0], read_constant(proto, node))
        else:
            node.attributes = {entry.name: read_attribute(entry, node) for entry in proto.attribute}
            self._place(node, proto)

    def _inline_branch(self, proto: NodeProto, node: Node, names: dict[str, str]) -> None:
        condition = self.values[node.inputs[0]].data if node.input(0) else None
        if condition is None or condition.size != 1:
            raise ConversionError(
                f"{node.label()} chooses its branch while running, which a static TFLite graph cannot; "
                "fix the input that decides, or export without the branch"
            )
        branches = {entry.name: entry.g for entry in proto.attribute}
        branch = branches.get("then_branch" if condition.item() else "else_branch")
        if branch is None or len(branch.output) != len(node.outputs):
            raise ConversionError(f"{node.label()} lacks the branch that it takes; export the model again")
        inner = self.read_nodes(branch, names)
        for result, output in zip(branch.output, node.outputs, strict=True):
            source = self.values.get(inner.get(result.name, result.name))
            if source is None:
                raise ConversionError(f"{node.label()}: nothing makes '{result.name}' in its branch; export it again")
            if output:
                self.nodes.append(Node("Identity", node.name, [source.name], [output], version=node.version))
                self._add(Value(output, source.shape, source.dtype, source.data))

    def _place(self, node: Node, proto: NodeProto) -> None:
        foldable = all(self.values[name].data is not None for name in node.inputs if name)
        foldable = (foldable and node.op not in RANDOM_OPS) or node.op in SHAPE_OPS
        if node.op not in self.supported and not foldable:
            used = {_operator(entry) for entry in self.model.graph.node}
            raise unsupported(node, used - {"Constant", "If", *SHAPE_OPS}, self.supported)
        types = self._infer(node, proto)
        if foldable:
            self._fold(node, proto, types)
            return
        for output, inferred in types.items():
            self._add(_typed(node, output, inferred))
        self.nodes.append(node)

    def _infer(self, node: Node, proto: NodeProto) -> dict[str, TypeProto]:
        """Types of the node's outputs by ONNX's own inference, which knows almost every operator and opset."""
        local = _renamed(proto, node)
        types, data = {}, {}
        for name in filter(None, node.inputs):
            value = self.values[name]
            types[name] = helper.make_tensor_type_proto(helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
            if node.op in UNINFERRED_OPS:
                return {node.outputs[0]: types[name]}
            if value.data is not None and value.data.size <= SHAPE_DATA_ELEMENTS:
                data[name] = numpy_helper.from_array(value.data, name)
        try:
            onnx.checker.check_node(local, self.context)
            schema = onnx.defs.get_schema(node.op, node.version, "")
            inferred = onnx.shape_inference.infer_node_outputs(
                schema, local, types, data, opset_imports=self.model.opset_import, ir_version=self.model.ir_version
            )
        except NODE_ERRORS as error:
            raise ConversionError(f"{node.label()} is not valid ONNX: {first_line(error)}; export it again") from error
        return {output: inferred.get(output, TypeProto()) for output in filter(None, node.outputs)}

    def _fold(self, node: Node, proto: NodeProto, types: Mapping[str, TypeProto]) -> None:
        for inferred in types.values():
            shape = [axis.dim_value for axis in inferred.tensor_type.shape.dim]
            if math.prod(shape) > LARGEST_FOLDED_ELEMENTS:
                raise ConversionError(
                    f"{node.label()} makes a constant of shape {shape}, more than "
                    f"{LARGEST_FOLDED_ELEMENTS} elements; give smaller shapes"
                )
        for (output, inferred), result in zip(types.items(), self._evaluate(node, proto), strict=True):
            dtype = numpy_dtype(inferred.tensor_type.elem_type, node.label())
            data = np.asarray(result).astype(dtype, copy=False)
            self._add(Value(output, data.shape, dtype, data))

    def _evaluate(self, node: Node, proto: NodeProto) -> Sequence[Array]:
        if node.op == "Shape":
            shape = self.values[node.inputs[0]].shape
            return [np.array(shape[slice(node.attributes.get("start"), node.attributes.get("end"))], np.int64)]
        if node.op == "Size":
            return [np.array(np.prod(self.values[node.inputs[0]].shape), np.int64)]
        from onnx.reference import ReferenceEvaluator  # only models with constant arithmetic pay for it

        feeds = {name: self.values[name].data for name in node.inputs if name}
        inputs, outputs = ([ValueInfoProto(name=name) for name in names if name] for names in (feeds, node.outputs))
        graph = helper.make_graph([_renamed(proto, node)], "folded", inputs, outputs)
        try:
            results: Sequence[Array] = ReferenceEvaluator(graph, opsets={"": node.version}).run(None, feeds)
        except Exception as error:  # the reference raises whatever numpy raises
            raise ConversionError(
                f"{node.label()} has constant inputs that it cannot be computed from: {first_line(error)}; "
                "export the model again"
            ) from error
        return results


def _domain(name: str) -> str:
    return "" if name == "ai.onnx" else name


def _operator(node: NodeProto) -> str:
    """The operator's name, behind its domain where that is not ONNX's own."""
    domain = _domain(node.domain)
    return f"{domain}.{node.op_type}" if domain else node.op_type


def _live_nodes(graph: GraphProto) -> tuple[list[NodeProto], set[str]]:
    """The nodes that the outputs of ``graph`` depend on, and all names that are read."""
    read = {output.name for output in graph.output}
    live: list[NodeProto] = []
    for node in reversed(graph.node):
        if read.intersection(filter(None, node.output)):
            live.append(node)
            read.update(_reads(node))
    return live[::-1], read


def _reads(node: NodeProto) -> set[str]:
    names = set(node.input)
    for attribute in node.attribute:
        for inner in (attribute.g, *attribute.graphs):
            for inner_node in inner.node:
                names |= _reads(inner_node)
            names |= {output.name for output in inner.output}
    return names


def _fixed_shape(name: str, tensor_type: TypeProto.Tensor, given: Sequence[int | str] | None) -> tuple[int, ...]:
    if not tensor_type.HasField("shape"):
        declared: list[int | str] = ["?"] * len(given or ())
    else:
        declared = [
            axis.dim_value if axis.HasField("dim_value") and axis.dim_value >= 0 else axis.dim_param or "?"
            for axis in tensor_type.shape.dim
        ]
    open_axes = [axis for axis in declared if isinstance(axis, str)]
    text = "x".join(str(axis) for axis in declared)
    example = ",".join("1" if isinstance(axis, str) else str(axis) for axis in declared)
    if given is None:
        if open_axes or not tensor_type.HasField("shape"):
            raise ConversionError(
                f"input '{name}' has dynamic axes ({text or 'of unknown rank'}), TFLite tensors here are static; "
                f"give its shape, e.g. --shape {name}={example}"
            )
        given = declared
    wanted = tuple(int(axis) for axis in given)
    fits = len(wanted) == len(declared) and all(
        size > 0 and (isinstance(axis, str) or axis == size) for axis, size in zip(declared, wanted, strict=True)
    )
    if not fits:
        raise ConversionError(
            f"input '{name}' is declared {text}, shape {'x'.join(map(str, wanted))} does not fit; "
            "change dynamic axes only, to positive sizes"
        )
    return wanted


def _typed(node: Node, name: str, inferred: TypeProto) -> Value:
    axes = inferred.tensor_type.shape.dim
    if not inferred.tensor_type.HasField("shape") or not all(axis.HasField("dim_value") for axis in axes):
        raise ConversionError(
            f"{node.label()} gives '{name}' a shape that depends on the data, TFLite tensors here are static; "
            "compute that part outside the model"
        )
    dtype = numpy_dtype(inferred.tensor_type.elem_type, node.label())
    return Value(name, tuple(axis.dim_value for axis in axes), dtype)


def _renamed(proto: NodeProto, node: Node) -> NodeProto:
    """The node under the flat graph's names, its element types narrowed as the values are."""
    local = NodeProto()
    local.CopyFrom(proto)
    local.input[:] = node.inputs
    local.output[:] = [
        made or (name and f"{name}/unread") for made, name in zip(node.outputs, proto.output, strict=True)
    ]
    for entry in local.attribute:
        if (node.op, entry.name) in (("Cast", "to"), ("EyeLike", "dtype")):
            entry.i = NARROWED.get(entry.i, entry.i)
        elif node.op == "ConstantOfShape" and entry.name == "value":
            entry.t.CopyFrom(numpy_helper.from_array(narrowed(read_array(entry.t, node.label()))))
    return local


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names) or "none"
