"""Rules on single values of pipeline.toml. Each raises `ValueError` saying the rule and the way out."""

from __future__ import annotations

import re

from litebundle.toml import nearest

_SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?"
    r"(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?"
)
_MODULE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


def semantic_version(text: str) -> str:
    """Semantic Versioning 2.0.0, section 2 and 9 to 11."""
    if not _SEMVER.fullmatch(text):
        raise ValueError(f"{text!r} is not a semantic version; write three numbers, for example 0.1.0")
    return text


def bundle_name(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", text):
        raise ValueError(
            f"{text!r} cannot name a bundle and its file; use small letters, digits, _ and -, a letter first"
        )
    return text


def stage_name(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", text):
        raise ValueError(f"{text!r} cannot name a stage; use small letters, digits and _, a letter first")
    return text


def source(text: str) -> str:
    kind, _, target = text.partition(":")
    if kind == "torch" and _MODULE.fullmatch(target):
        return text
    if kind == "onnx" and target:
        return text
    raise ValueError(
        f'{text!r} is no model source; write "onnx:models/x.onnx" for a file or '
        '"torch:package.module:Factory" for a function or class that returns an nn.Module'
    )


def stage_and_value(text: str | None) -> str | None:
    if text is not None and not re.fullmatch(r"[a-z][a-z0-9_]*\..+", text):
        raise ValueError(f'{text!r} names no value; write stage and output, for example "encode.memory"')
    return text


def not_auto(value: object) -> object:
    if value == "auto":
        raise ValueError(
            "scheme 'auto' (a search over schemes) is not part of this version; choose one, int8 for the "
            "smallest and fastest, and let the budget judge it"
        )
    return value


def known_metric(name: str) -> str:
    from litebundle.metrics import METRICS

    if name not in METRICS:
        raise ValueError(f"unknown metric {name!r}{nearest(name, METRICS)} (known: {', '.join(sorted(METRICS))})")
    return name


def bound_fits_metric(name: str, maximum: float | None, minimum: float | None) -> None:
    """A metric has one bound, on the side where it gets worse."""
    from litebundle.metrics import METRICS

    wanted = "min" if METRICS[name].better == "higher" else "max"
    given = [side for side, bound in (("max", maximum), ("min", minimum)) if bound is not None]
    if given != [wanted]:
        raise ValueError(
            f"metric {name!r} is better when {METRICS[name].better}, so its bound is {wanted!r}"
            f" (given: {' and '.join(given) or 'none'}); write {{ name = {name!r}, {wanted} = ... }}"
        )


def labels_asset(stage: str) -> str:
    """Name inside the bundle of a stage's label file."""
    return f"labels/{stage}.json"
