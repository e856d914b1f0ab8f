"""Label files: a JSON list of texts, one per class or token, in the order of the model's outputs."""

from __future__ import annotations

import json
from pathlib import Path

from litebundle.errors import LitebundleError


def read_labels(path: Path) -> tuple[str, ...]:
    """Read a label file.

    Raises:
        LitebundleError: No such file, or not a non-empty JSON list of texts in UTF-8.
    """
    if not path.is_file():
        raise LitebundleError(f"labels {str(path)!r}: no such file; give the path of a JSON list of texts")
    try:
        labels = json.loads(path.read_bytes())
    except ValueError as error:
        raise LitebundleError(f"labels {str(path)!r}: not JSON in UTF-8 ({error})") from error
    if not isinstance(labels, list) or not labels or not all(isinstance(label, str) for label in labels):
        raise LitebundleError(f'labels {str(path)!r}: must be a JSON list of texts, for example ["cat", "dog"]')
    return tuple(labels)
