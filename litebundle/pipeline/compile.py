"""From stages with `before`, `after` and `loop` to a graph: "How stages join" in docs/pipeline.md."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from litebundle.errors import LitebundleError
from litebundle.glue import OPERATIONS, Operation, Port
from litebundle.graph import FAN_OUT, PHOTO, Graph, Node, ResultField
from litebundle.pipeline.folding import foldable_normalize
from litebundle.pipeline.model import Loop, Pipeline, Stage, Step
from litebundle.pipeline.rules import labels_asset
from litebundle.toml import Loc, nearest

# A value of one of these kinds is what a user asked the pipeline for; the others only join operations.
_RESULT_KINDS = ("boxes", "text", "index", "score")


class JoinError(LitebundleError):
    """Stages that do not join; `loc` is the place in pipeline.toml."""

    def __init__(self, loc: Loc, message: str) -> None:
        super().__init__(message)
        self.loc = loc


def compile_graph(pipeline: Pipeline, folded: Collection[str] = ()) -> Graph:
    """The graph of a pipeline, its nodes' attributes complete and its labels named by their assets.

    Args:
        pipeline: As `load_pipeline` gives it.
        folded: Stages whose normalisation sits in their quantized input's scale; they are fed pixels instead.

    Raises:
        LitebundleError: Stages that do not join, or a folded stage that `foldable_normalize` says no to.
    """
    for name in folded:
        if foldable_normalize(pipeline.stage(name)) is None:
            raise LitebundleError(
                f"stage {name!r}: its normalisation cannot be folded into a uint8 input; end its before with "
                "a normalize of one mean and one std for all channels, or leave its input float32"
            )
    compiler = _Compiler()
    for index, stage in enumerate(pipeline.stages):
        compiler.add_stage(("stage", index), stage, stage.name in folded)
    if not compiler.results:
        raise JoinError(
            ("stage", len(pipeline.stages) - 1),
            "the pipeline has no result; give a stage an 'after' that ends in boxes, a label or a text",
        )
    graph = Graph(tuple(compiler.nodes), tuple(ResultField(name, value) for name, value in compiler.results.items()))
    graph.check(OPERATIONS)
    return graph


@dataclass
class _Scope:
    """What the steps of one stage can refer to."""

    stage: Stage
    loc: Loc
    cursor: str  # what the last step of `before` made
    geometry: str | None = None
    boxes: str | None = None
    tokens: str | None = None
    picture: str = ""  # the current picture before this stage's own resizing


@dataclass
class _Compiler:
    nodes: list[Node] = field(default_factory=list)
    results: dict[str, str] = field(default_factory=dict)
    picture: str = PHOTO
    kinds: dict[str, str] = field(default_factory=lambda: {PHOTO: "image"})
    lists: set[str] = field(default_factory=set)
    scopes: dict[str, _Scope] = field(default_factory=dict)

    def add_stage(self, loc: Loc, stage: Stage, is_folded: bool) -> None:
        scope = _Scope(stage, loc, cursor=self.picture)
        for i, step in enumerate(stage.before):
            last = i == len(stage.before) - 1
            self._before(scope, (*loc, "before", i), Step(op="to_tensor") if last and is_folded else step)
        scope.picture = self.picture
        if stage.loop is None:
            self._model(scope)
        else:
            self._loop(scope, stage.loop)
        for i, step in enumerate(stage.after):
            self._after(scope, (*loc, "after", i), step)
        self.scopes[stage.name] = scope

    def _before(self, scope: _Scope, loc: Loc, step: Step) -> None:
        operation = OPERATIONS[step.op]
        _refuse_what_stands_behind_a_model(loc, operation)
        if operation.replaces_picture and scope.cursor != self.picture:
            raise JoinError(loc, f"{step.op} works on the picture itself and must come first in before")
        inputs = tuple(self._before_input(scope, loc, step, port) for port in operation.inputs)
        outputs = self._glue(scope, step, operation, inputs)
        scope.cursor = outputs[0]
        if operation.replaces_picture:
            self.picture = outputs[0]

    def _before_input(self, scope: _Scope, loc: Loc, step: Step, port: Port) -> str:
        if port.kind == "boxes":
            return self._boxes_of(loc, step)
        if port.kind != self.kinds[scope.cursor]:
            rule = (
                "takes an image but stands behind normalize or to_tensor"
                if port.kind == "image"
                else "takes a tensor but does not stand behind normalize or to_tensor"
            )
            raise JoinError(loc, f"{step.op} {rule}; change the order of before")
        return scope.cursor

    def _boxes_of(self, loc: Loc, step: Step) -> str:
        if step.of is None:
            raise JoinError(loc, f'{step.op} needs the stage whose boxes it cuts out; write of = "..."')
        found = self.scopes.get(step.of)
        if found is None or found.boxes is None:
            able = [name for name, scope in self.scopes.items() if scope.boxes]
            raise JoinError(
                (*loc, "of"),
                f"no earlier stage {step.of!r} finds boxes{nearest(step.of, able)} "
                f"(stages with boxes before this one: {', '.join(able) or 'none'})",
            )
        if self.picture in self.lists:
            raise JoinError(loc, f"{step.op} inside crops is not part of this version; the pipeline cuts boxes once")
        if found.picture != self.picture:
            raise JoinError(loc, f"the boxes of {step.of!r} were found on another picture than the current one")
        return found.boxes

    def _model(self, scope: _Scope) -> None:
        stage = scope.stage
        inputs = tuple(self._model_input(scope, i) for i in range(len(stage.inputs)))
        self._check_input_count(scope, [item.name for item in stage.inputs if item.from_ is None])
        outputs = tuple(f"{stage.name}/{name}" for name in stage.outputs)
        self._add(scope, "model", inputs, outputs, ["tensor"] * len(outputs), {})

    def _loop(self, scope: _Scope, loop: Loop) -> None:
        stage, loc = scope.stage, (*scope.loc, "loop")
        names = [item.name for item in stage.inputs]
        stepping = [loop.token, *loop.state]
        constants = loop.constants
        if constants is None:
            constants = tuple(name for name in names if name not in stepping)
        for key, wanted in (("token", [loop.token]), ("state", [*loop.state]), ("constants", [*constants])):
            for name in wanted:
                if name not in names:
                    raise JoinError((*loc, key), f"the model has no input {name!r}{nearest(name, names)}")
        for key, wanted in (("logits", [loop.logits]), ("state", [*loop.state.values()])):
            for name in wanted:
                if name not in stage.outputs:
                    raise JoinError((*loc, key), f"the model has no output {name!r}{nearest(name, stage.outputs)}")
        fed = [*stepping, *constants]
        for name in names:
            if fed.count(name) != 1:
                rule = "is fed twice" if name in fed else "is fed by nothing"
                raise JoinError(loc, f"input {name!r} {rule}; it is either the token, a state or a constant")
        self._check_input_count(scope, [i.name for i in stage.inputs if i.name in constants and i.from_ is None])
        inputs = tuple(self._model_input(scope, names.index(name)) for name in constants)
        attributes = loop.model_dump(mode="json", exclude={"op"}) | {"constants": list(constants)}
        tokens, score = self._add(
            scope,
            loop.op,
            inputs,
            (f"{stage.name}/tokens", f"{stage.name}/score"),
            ("tokens", "score"),
            attributes,
        )
        scope.tokens = tokens
        self._result(scope, "score", score)

    def _model_input(self, scope: _Scope, index: int) -> str:
        item = scope.stage.inputs[index]
        loc = (*scope.loc, "inputs", index)
        if item.from_ is not None:
            return self._reference((*loc, "from"), item.from_)
        if self.kinds[scope.cursor] != "tensor":
            raise JoinError(
                scope.loc,
                f"input {item.name!r} takes a tensor but before leaves an image; end before with normalize "
                "or to_tensor, or bind the input with from",
            )
        return scope.cursor

    def _check_input_count(self, scope: _Scope, prepared: Sequence[str]) -> None:
        if len(prepared) > 1:
            raise JoinError(
                scope.loc,
                f"inputs {', '.join(map(repr, prepared))} would all take the prepared picture; bind all "
                'but one with from = "stage.output"',
            )
        if scope.stage.before and not prepared:
            raise JoinError(
                (*scope.loc, "before"),
                "no input takes what before prepares; remove before, or one input's from",
            )

    def _reference(self, loc: Loc, reference: str) -> str:
        stage, _, name = reference.partition(".")
        if stage not in self.scopes:
            raise JoinError(
                loc,
                f"there is no stage {stage!r} before this one{nearest(stage, self.scopes)} "
                f"(earlier stages: {', '.join(self.scopes) or 'none'})",
            )
        scope = self.scopes[stage]
        known = scope.stage.outputs if scope.stage.loop is None else ()
        if name not in known:
            raise JoinError(
                loc,
                f"stage {stage!r} has no tensor {name!r}{nearest(name, known)} (it has: {', '.join(known) or 'none'})",
            )
        return f"{stage}/{name}"

    def _after(self, scope: _Scope, loc: Loc, step: Step) -> None:
        operation = OPERATIONS[step.op]
        _refuse_what_stands_before_a_model(loc, operation)
        tensors = _bind_tensors(loc, step.op, operation, scope.stage.outputs if scope.tokens is None else ())
        inputs = tuple(
            f"{scope.stage.name}/{tensors[port.name]}"
            if port.kind == "tensor"
            else _after_input(scope, loc, step, port)
            for port in operation.inputs
        )
        attributes = dict(step.attributes)
        if "labels" in attributes:
            attributes["labels"] = labels_asset(scope.stage.name)
        outputs = self._glue(scope, step.model_copy(update={"attributes": attributes}), operation, inputs)
        if operation.replaces_picture:
            self.picture = outputs[0]
        for port, value in zip(operation.outputs, outputs, strict=True):
            if port.kind in _RESULT_KINDS:
                self._result(scope, port.name, value)

    def _glue(self, scope: _Scope, step: Step, operation: Operation, inputs: tuple[str, ...]) -> tuple[str, ...]:
        outputs = tuple(self._value_name(scope, step.op, port) for port in operation.outputs)
        kinds = ["image" if port.kind == "images" else port.kind for port in operation.outputs]
        self._add(scope, step.op, inputs, outputs, kinds, step.attributes)
        for port, value in zip(operation.outputs, outputs, strict=True):
            if port.kind == "geometry":
                scope.geometry = value
            elif port.kind == "images":
                self.lists.add(value)
            elif port.kind == "boxes":
                self._boxes(scope, inputs, value)
        return outputs

    def _boxes(self, scope: _Scope, inputs: Sequence[str], value: str) -> None:
        """New boxes; they replace in the result those they were made from."""
        replaced = next((old for old in inputs if self.kinds[old] == "boxes"), None)
        shown = self.results.get("box")
        if shown is not None and shown != replaced:
            raise JoinError(scope.loc, "a second stage finds boxes; this version has one list of boxes per pipeline")
        self.results["box"] = value
        scope.boxes = value

    def _result(self, scope: _Scope, name: str, value: str) -> None:
        if self.kinds[value] != "boxes":
            self.results[f"{scope.stage.name}_{name}" if name in self.results else name] = value

    def _value_name(self, scope: _Scope, op: str, port: Port) -> str:
        """Pictures and tensors are named after their operation, all else after its port."""
        base = op if port.kind in ("image", "images", "tensor") else port.name
        return _unused(f"{scope.stage.name}/{base}", {*self.kinds, *_tensor_values(scope.stage)})

    def _add(
        self,
        scope: _Scope,
        op: str,
        inputs: tuple[str, ...],
        outputs: tuple[str, ...],
        kinds: Sequence[str],
        attributes: Mapping[str, Any],
    ) -> tuple[str, ...]:
        each = any(value in self.lists for value in inputs)
        name = _unused(f"{scope.stage.name}/{op}", {node.name for node in self.nodes})
        self.nodes.append(Node(name, op, inputs, outputs, dict(attributes), scope.stage.name, each))
        self.kinds.update(zip(outputs, kinds, strict=True))
        if each:
            self.lists.update(outputs)
        return outputs


def _refuse_what_stands_behind_a_model(loc: Loc, operation: Operation) -> None:
    takes = [port.kind for port in operation.inputs]
    prepares = operation.name == FAN_OUT or (len(takes) == 1 and takes[0] in ("image", "tensor"))
    if not prepares or operation.outputs[0].kind not in ("image", "images", "tensor"):
        raise JoinError(loc, f"{operation.name} takes what a model makes; move it to after")


def _refuse_what_stands_before_a_model(loc: Loc, operation: Operation) -> None:
    if operation.name == FAN_OUT:
        raise JoinError(loc, f"{FAN_OUT} belongs in the before of the stage that takes the crops; move it there")
    if not operation.replaces_picture and not any(port.kind in _RESULT_KINDS for port in operation.outputs):
        raise JoinError(loc, f"{operation.name} prepares a picture or tensor for a model; move it to before")


def _after_input(scope: _Scope, loc: Loc, step: Step, port: Port) -> str:
    bound = {"image": scope.picture, "geometry": scope.geometry, "boxes": scope.boxes, "tokens": scope.tokens}
    way_out = {
        "geometry": "add letterbox to before",
        "boxes": "put a step that finds boxes in front of it",
        "tokens": "give the stage a loop",
    }
    value = bound.get(port.kind)
    if value is None:
        raise JoinError(
            loc,
            f"{step.op} takes {port.kind}, which this stage has not; {way_out.get(port.kind, 'remove it')}",
        )
    return value


def _bind_tensors(loc: Loc, op: str, operation: Operation, outputs: Sequence[str]) -> Mapping[str, str]:
    """Tensor port -> the model's output: of the same name where there is one, the others in order."""
    ports = [port.name for port in operation.inputs if port.kind == "tensor"]
    bound = {name: name for name in ports if name in outputs}
    rest = iter([name for name in outputs if name not in bound])
    for name in ports:
        if name not in bound:
            output = next(rest, None)
            if output is None:
                raise JoinError(
                    loc,
                    f"{op} takes {len(ports)} outputs ({', '.join(ports)}), the model has {len(outputs)}",
                )
            bound[name] = output
    return bound


def _tensor_values(stage: Stage) -> set[str]:
    return {f"{stage.name}/{name}" for name in stage.outputs}


def _unused(name: str, taken: Collection[str]) -> str:
    """The name, or with the first number from 2 that makes it new."""
    number, candidate = 2, name
    while candidate in taken:
        candidate, number = f"{name}_{number}", number + 1
    return candidate
