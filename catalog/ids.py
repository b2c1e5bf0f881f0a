"""Keys that sort by the time of their making: UUID version 7 (RFC 9562, section 5.7)."""

from __future__ import annotations

import os
from uuid import UUID

import uuid_utils
from uuid_utils import compat

# The generator lies in memory: two children of one process would otherwise draw the same random bits.
os.register_at_fork(after_in_child=uuid_utils.reseed_rng)


def uuid7() -> UUID:
    """Return a new key; keys made by one process never go backwards, even where the clock does."""
    return compat.uuid7()
