"""LaTeX to an ink mask: matplotlib's mathtext, and ziamath for a font that training never sees."""

from __future__ import annotations

import re
from functools import cache
from xml.etree import ElementTree

import cv2
import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import MathTextParser
from numpy.typing import NDArray

from formula_scan.grammar import Tokens, detokenize

MATH_FONTS = ("dejavusans", "dejavuserif", "cm", "stix", "stixsans")
HELD_OUT_FONT = "stixtwo"
_OVERSAMPLING = 4
_SVG = {"svg": "http://www.w3.org/2000/svg"}


@cache
def _parser() -> MathTextParser[object]:
    return MathTextParser("agg")


def trim(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cut a mask to the box of its ink."""
    x, y, width, height = cv2.boundingRect((ink > 40).astype(np.uint8))
    return ink[y : y + height, x : x + width]


def _mathtext(text: str, font: str, em_px: float) -> NDArray[np.uint8]:
    properties = FontProperties(size=em_px, math_fontfamily=font)
    parsed = _parser().parse(f"${text}$", dpi=72, prop=properties)
    return np.asarray(parsed.image, dtype=np.uint8)


def _contours(path: str) -> list[NDArray[np.float64]]:
    """The closed polygons of an SVG path of absolute M, L, Q and Z, curves in eight pieces."""
    contours: list[list[NDArray[np.float64]]] = []
    for command, numbers in re.findall(r"([MLQ])([^MLQZ]*)", path):
        points = np.array(numbers.split(), dtype=np.float64).reshape(-1, 2)
        if command == "M":
            contours.append([points[0]])
        elif command == "L":
            contours[-1].append(points[0])
        else:
            start, (control, end) = contours[-1][-1], points
            for t in np.linspace(0, 1, 9)[1:]:
                contours[-1].append((1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end)
    return [np.array(contour) for contour in contours]


def _ziamath(text: str, em_px: float) -> NDArray[np.uint8]:
    """The glyph outlines of ziamath's SVG (STIX Two Math), filled on a finer grid."""
    import ziamath

    root = ElementTree.fromstring(ziamath.Latex(text, size=em_px).svg())
    left, top, width, height = (float(side) for side in root.attrib["viewBox"].split())
    fine = np.zeros((int(height + 4) * _OVERSAMPLING, int(width + 4) * _OVERSAMPLING), dtype=np.uint8)

    def fill(contours: list[NDArray[np.float64]]) -> None:
        places = [np.rint((contour - (left - 2, top - 2)) * _OVERSAMPLING * 16) for contour in contours]
        cv2.fillPoly(fine, [place.astype(np.int32) for place in places], 255, shift=4)

    glyphs = {symbol.attrib["id"]: symbol for symbol in root.iterfind("svg:symbol", _SVG)}
    for use in root.iterfind("svg:use", _SVG):
        glyph = glyphs[use.attrib["href"][1:]]
        origin = np.array(glyph.attrib["viewBox"].split()[:2], dtype=np.float64)
        scale = float(use.attrib["height"]) / float(glyph.attrib["viewBox"].split()[3])
        place = np.array([use.attrib["x"], use.attrib["y"]], dtype=np.float64)
        outline = glyph.find("svg:path", _SVG)
        if outline is not None:
            fill([(contour - origin) * scale + place for contour in _contours(outline.attrib["d"])])
    for bar in root.iterfind("svg:rect", _SVG):
        x, y, w, h = (float(bar.attrib[key]) for key in ("x", "y", "width", "height"))
        fill([np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]])])
    return cv2.resize(fine, None, fx=1 / _OVERSAMPLING, fy=1 / _OVERSAMPLING, interpolation=cv2.INTER_AREA)


def render(tokens: Tokens, font: str, em_px: float) -> NDArray[np.uint8]:
    """Ink coverage [H, W] uint8 (255 = ink) of a formula, cut to its ink; raises ValueError if nothing was drawn.

    The tokens are joined before they are rendered: mathtext silently drops a script written with spaces.
    """
    text = detokenize(tokens)
    ink = trim(_ziamath(text, em_px) if font == HELD_OUT_FONT else _mathtext(text, font, em_px))
    if ink.size == 0:
        raise ValueError(f"formula {text!r} drew no ink in font {font!r}; check its tokens")
    return ink
