"""The report: one offline HTML file that says what quantizing a pipeline cost; docs/report.md describes it."""

from __future__ import annotations

from litebundle.report.page import render as render
