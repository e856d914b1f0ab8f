"""The table of lowering rules: ONNX operator -> the function that writes its TFLite form."""

from __future__ import annotations

from collections.abc import Callable

from converter.graph import Node
from converter.lowerer import Lowerer

Rule = Callable[[Lowerer, Node], None]
RULES: dict[str, Rule] = {}


def lowers(*operators: str) -> Callable[[Rule], Rule]:
    """Register the decorated function as the rule of ``operators``."""

    def register(rule: Rule) -> Rule:
        for operator in operators:
            assert operator not in RULES, operator
            RULES[operator] = rule
        return rule

    return register
