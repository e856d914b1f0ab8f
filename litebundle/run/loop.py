"""The token loop: a stage's model run step by step, its states going round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter_ns
from typing import Any

import numpy as np

from litebundle.errors import LitebundleError
from litebundle.glue.autoregressive_decode import AutoregressiveDecodeAttributes, Decoded, decode
from litebundle.graph import Node
from litebundle.run.boundary import enter_model, leave_model, plain
from litebundle.run.model import Array, LiteRTModel, Tensor
from litebundle.run.stage import Trace, run_stage, stage_model


class TokenLoop:
    """An `autoregressive_decode` node with its model."""

    def __init__(self, node: Node, models: Mapping[str, LiteRTModel]) -> None:
        self._stage, self._model = stage_model(node, models)
        self._attributes = AutoregressiveDecodeAttributes.model_validate(dict(node.attributes))
        fed = [self._attributes.token, *self._attributes.constants, *self._attributes.state]
        inputs = {tensor.name: tensor for tensor in self._model.inputs}
        places = [tensor.name for tensor in self._model.inputs]
        outputs = [tensor.name for tensor in self._model.outputs]
        self._check(node, fed, places, outputs)
        self._token = places.index(self._attributes.token)
        self._constants = tuple(places.index(name) for name in self._attributes.constants)
        self._unchanged = frozenset(self._constants)
        self._states = tuple(places.index(name) for name in self._attributes.state)
        self._next_states = tuple(outputs.index(name) for name in self._attributes.state.values())
        self._logits = outputs.index(self._attributes.logits)
        self._zero_states = [_zero(inputs[name]) for name in self._attributes.state]
        self._token_form = np.zeros(inputs[self._attributes.token].shape, inputs[self._attributes.token].dtype)

    def _check(self, node: Node, fed: list[str], inputs: list[str], outputs: list[str]) -> None:
        if sorted(fed) != sorted(set(inputs)) or len(inputs) != len(fed):
            raise LitebundleError(f"stage {self._stage!r}: its loop feeds {fed}, the model takes {sorted(inputs)}")
        for wanted in (self._attributes.logits, *self._attributes.state.values()):
            if wanted not in outputs:
                raise LitebundleError(f"stage {self._stage!r}: its loop reads {wanted!r}, the model gives {outputs}")
        token = self._tensor(self._model.inputs, self._attributes.token)
        if token.dtype not in (np.int32, np.int64):
            raise LitebundleError(f"stage {self._stage!r}: input {token.name!r} takes {token.dtype}, not a token")
        logits = self._tensor(self._model.outputs, self._attributes.logits)
        if logits.dtype != np.float32 and logits.quantization is None:
            raise LitebundleError(
                f"stage {self._stage!r}: output {logits.name!r} is {logits.dtype}; logits are float32 or quantized"
            )
        if len(node.inputs) != len(self._attributes.constants):
            raise LitebundleError(
                f"stage {self._stage!r}: its loop names {len(self._attributes.constants)} constants, "
                f"the graph gives {len(node.inputs)}"
            )

    @staticmethod
    def _tensor(tensors: Sequence[Tensor], name: str) -> Tensor:
        return next(tensor for tensor in tensors if tensor.name == name)

    def run(self, values: Sequence[Any], trace: Trace) -> Decoded:
        """Decode with the constant inputs' `values`, in the order of the node's inputs."""
        form: list[Any] = [None] * len(self._model.inputs)
        for place, value in zip(self._constants, values, strict=True):
            # Brought over the model's border here, so that each step finds it in the form it takes.
            tensor = self._model.inputs[place]
            form[place] = leave_model(enter_model(value, tensor, self._stage), tensor)
        unchanged: frozenset[int] = frozenset()
        step_ns = 0

        def step(token: int, states: list[Any]) -> tuple[Array, list[Any]]:
            nonlocal step_ns, unchanged
            start = perf_counter_ns()
            inputs = form.copy()
            inputs[self._token] = self._token_form.copy()
            inputs[self._token].fill(token)
            for place, state in zip(self._states, states, strict=True):
                inputs[place] = state
            outputs = run_stage(self._stage, self._model, inputs, trace, unchanged)
            # A tap may run the same model itself, and so change what it holds.
            unchanged = self._unchanged if trace.tap is None else frozenset()
            found = plain(outputs[self._logits]), [outputs[i] for i in self._next_states]
            step_ns += perf_counter_ns() - start
            return found

        start = perf_counter_ns()
        decoded = decode(
            step,
            self._zero_states,
            start=self._attributes.start,
            end=self._attributes.end,
            max_tokens=self._attributes.max_tokens,
            beam=self._attributes.beam,
        )
        trace.glue_ns += perf_counter_ns() - start - step_ns
        return decoded


def _zero(tensor: Tensor) -> Any:
    """The state before the first token: real zero, in the tensor's own raw form."""
    return leave_model(np.full(tensor.shape, tensor.zero_point or 0, tensor.dtype), tensor)
