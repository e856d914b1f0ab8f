"""Makes the ONNX bytes of an export the same from run to run and folder to folder, and its names readable."""

from __future__ import annotations

import ast

import onnx

NAME_SCOPES = "pkg.torch.onnx.name_scopes"


def tidy_export(model: onnx.ModelProto) -> None:
    """Name each value after the module that computes it and drop all that tells of the exporting machine.

    A value becomes `<module path>/<op type>`, in lower case and numbered from the second on: `stem.0/conv`,
    `head/relu_1`. Inputs, outputs and initializers keep their names. Stack traces, file paths, graph ids,
    doc strings, the producer's version and the value_info are removed.
    """
    graph = model.graph
    kept = {value.name for value in [*graph.input, *graph.output, *graph.initializer]}
    new_names = _new_names(graph, kept)
    for node in graph.node:
        node.input[:] = [new_names.get(name, name) for name in node.input]
        node.output[:] = [new_names.get(name, name) for name in node.output]
        node.name = node.output[0]
        node.doc_string = ""
        del node.metadata_props[:]
    for part in [model, graph, *graph.input, *graph.output, *graph.initializer]:
        part.doc_string = ""
        del part.metadata_props[:]
    for value in graph.value_info:
        value.name = new_names.get(value.name, value.name)
        value.doc_string = ""
        del value.metadata_props[:]
    model.producer_version = ""


def _new_names(graph: onnx.GraphProto, kept: set[str]) -> dict[str, str]:
    taken, new_names = set(kept), {}
    for node in graph.node:
        for output in node.output:
            if output and output not in kept:
                new_names[output] = _free_name(f"{_module_path(node)}/{node.op_type.lower()}", taken)
    return new_names


def _module_path(node: onnx.NodeProto) -> str:
    """The dotted path of the innermost module: the exporter lists the paths outside in, then the node."""
    scopes = next((entry.value for entry in node.metadata_props if entry.key == NAME_SCOPES), "['']")
    modules = ast.literal_eval(scopes)[:-1]
    return str(modules[-1]) if modules else ""


def _free_name(stem: str, taken: set[str]) -> str:
    name, count = stem.removeprefix("/"), 0
    while name in taken:
        count += 1
        name = f"{stem.removeprefix('/')}_{count}"
    taken.add(name)
    return name
