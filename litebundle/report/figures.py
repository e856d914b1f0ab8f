"""How figures are written: short, with their unit, and a dash where there is none."""

from __future__ import annotations

import math

NONE = "–"


def score(value: float | None) -> str:
    """A metric's score, three decimals."""
    return NONE if value is None else _minus(f"{value:.3f}")


def loss(value: float | None) -> str:
    """A difference of scores, signed: three decimals, or its first digit where they would all be 0."""
    if value is None:
        return NONE
    if value == 0:
        return "0"
    return _minus(f"{value:+.3f}" if abs(value) >= 0.0005 else f"{value:+.1g}")


def losses(low: float | None, high: float | None) -> str:
    """The interval of a loss."""
    return NONE if low is None or high is None else f"{loss(low)} … {loss(high)}"


def scores(low: float | None, high: float | None) -> str:
    """The interval of a score."""
    return NONE if low is None or high is None else f"{score(low)} … {score(high)}"


def general(value: float | str | None) -> str:
    """Three significant digits; whole numbers from a thousand on."""
    if value is None:
        return NONE
    number = float(value)
    if math.isinf(number):
        return "∞" if number > 0 else "−∞"
    return _minus(f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}")


def decibels(value: float | None) -> str:
    if value is None:
        return NONE
    if math.isinf(value):
        return "identical" if value > 0 else "−∞"
    return _minus(f"{value:.1f}")


def cosine(value: float | None) -> str:
    return NONE if value is None else _minus(f"{value:.5f}")


def size(size_bytes: float | None) -> str:
    """Bytes in decimal units."""
    if size_bytes is None:
        return NONE
    for limit, unit in ((1e6, "MB"), (1e3, "kB")):
        if size_bytes >= limit:
            return f"{size_bytes / limit:.3g} {unit}"
    return f"{size_bytes:.0f} B"


def milliseconds(value: float | None) -> str:
    """The bare number: its table says the unit."""
    return NONE if value is None else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def tick(value: float) -> str:
    return _minus(f"{value:g}")


def _minus(text: str) -> str:
    mantissa, exponent, power = text.partition("e")
    return mantissa.replace("-", "−") + exponent + power


FILTERS = {
    function.__name__: function
    for function in (score, scores, loss, losses, general, decibels, cosine, size, milliseconds, percent, tick)
}
