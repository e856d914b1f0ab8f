"""A phone on the end of `adb`: what is there, what is put on it, what it measured; docs/device.md describes it."""

from __future__ import annotations
