"""Texts in the cells of tables that a spreadsheet opens."""

from __future__ import annotations

# What a spreadsheet would carry out as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def defused(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
