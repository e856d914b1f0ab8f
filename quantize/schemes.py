"""The quantization schemes as data: which operator takes which precision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from quantize.errors import QuantizationError


@dataclass(frozen=True)
class Operands:
    """Positions of an operator's operands; bias is None where it has none."""

    input: int
    weights: int
    bias: int | None


# Operators with a weight operand of their own.
WEIGHTED: Mapping[str, Operands] = {
    "BATCH_MATMUL": Operands(0, 1, None),
    "CONV_2D": Operands(0, 1, 2),
    "DEPTHWISE_CONV_2D": Operands(0, 1, 2),
    "EMBEDDING_LOOKUP": Operands(0, 1, None),
    "FULLY_CONNECTED": Operands(0, 1, 2),
    "TRANSPOSE_CONV": Operands(2, 1, 3),
}
# Operators that run in int8 on int8 tensors: what ai-edge-quantizer 0.10 can make (a test compares the two).
INT8_OPS = frozenset(
    """
    ADD AVERAGE_POOL_2D BATCH_MATMUL BROADCAST_TO CONCATENATION CONV_2D DEPTHWISE_CONV_2D DIV
    DYNAMIC_UPDATE_SLICE EQUAL FULLY_CONNECTED GATHER GATHER_ND GELU HARD_SWISH LOGISTIC MAXIMUM
    MAX_POOL_2D MEAN MIRROR_PAD MUL NOT_EQUAL PACK PAD PADV2 REDUCE_MIN RELU RESHAPE RESIZE_BILINEAR
    RESIZE_NEAREST_NEIGHBOR RSQRT SELECT SELECT_V2 SLICE SOFTMAX SPACE_TO_DEPTH SPLIT SQRT
    SQUARED_DIFFERENCE STRIDED_SLICE SUB SUM TANH TRANSPOSE TRANSPOSE_CONV UNPACK
    """.split()  # noqa: SIM905 (one operator a line would hide the list)
)
# Operators that move or repeat values and compute none.
DATA_MOVEMENT = frozenset(
    """
    BATCH_TO_SPACE_ND BROADCAST_TO CONCATENATION DEPTH_TO_SPACE EXPAND_DIMS GATHER GATHER_ND MIRROR_PAD
    PACK PAD PADV2 RESHAPE REVERSE_V2 SLICE SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQUEEZE
    STRIDED_SLICE TILE TRANSPOSE UNPACK
    """.split()  # noqa: SIM905 (one operator a line would hide the list)
)
RECURRENT = frozenset(
    {"LSTM", "UNIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_SEQUENCE_LSTM", "RNN", "UNIDIRECTIONAL_SEQUENCE_RNN"}
)


@dataclass(frozen=True)
class Scheme:
    """What a scheme does to weights and activations.

    weights: "float32", "float16" or "int8"; int8 weights are symmetric, per output channel.
    arithmetic: "float32", "dynamic" (int8, activations quantized on the fly by the kernel) or "int8" (static).
    """

    name: str
    weights: str
    arithmetic: str

    @property
    def needs_ranges(self) -> bool:
        return self.arithmetic == "int8"


SCHEMES: Mapping[str, Scheme] = {
    scheme.name: scheme
    for scheme in (
        Scheme("none", weights="float32", arithmetic="float32"),
        Scheme("fp16", weights="float16", arithmetic="float32"),
        Scheme("int8_weights", weights="int8", arithmetic="float32"),
        Scheme("int8_dynamic", weights="int8", arithmetic="dynamic"),
        Scheme("int8", weights="int8", arithmetic="int8"),
    )
}


def find_scheme(name: str) -> Scheme:
    if name not in SCHEMES:
        raise QuantizationError(f"scheme '{name}' is unknown; use one of {', '.join(SCHEMES)}")
    return SCHEMES[name]
