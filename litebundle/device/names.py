"""Names of runs and recordings."""

from __future__ import annotations

import secrets
import time


def new_name() -> str:
    """By the time, in UTC; two that begin in one second differ all the same."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(2)}"
