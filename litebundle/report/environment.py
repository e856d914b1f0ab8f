"""How templates become HTML."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from litebundle.errors import LitebundleError
from litebundle.report.figures import FILTERS

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).parent / "templates"


@cache
def environment(folder: Path | None = None) -> Environment:
    """Templates of `folder` and the report's own, everything escaped, nothing undefined.

    Raises:
        LitebundleError: jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as error:
        raise LitebundleError("the report needs jinja2; install it with: pip install 'litebundle[report]'") from error
    made = Environment(
        loader=FileSystemLoader([_TEMPLATES] if folder is None else [folder, _TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= FILTERS
    return made
