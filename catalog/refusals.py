"""What is refused for the state that something is in."""

from __future__ import annotations


class NotPossible(Exception):
    """What was ordered is not possible in this state; the text says why."""
