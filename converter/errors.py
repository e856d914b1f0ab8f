"""The one error a user of this package has to catch."""

from __future__ import annotations


class ConversionError(Exception):
    """A model cannot be converted; the message names the object, the rule that it broke and the way out."""
