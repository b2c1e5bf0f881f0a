"""Keys of alerts as one number, for programs that know alerts by an integer, as those of ZTF and LSST do."""

from __future__ import annotations

import hashlib
from uuid import UUID

_BITS = 63  # what a signed integer of 64 bits holds without a sign


def number_of(key: UUID, attempt: int = 0) -> int:
    """Return the number of a key: the lower 63 of the first 64 bits of SHA-256 over its 16 bytes and one for the
    attempt.

    attempt : 0 but where another alert has the number already: then 1, and so on. What this returns never changes.
    """
    digest = hashlib.sha256(key.bytes + attempt.to_bytes(1, "big")).digest()
    return int.from_bytes(digest[:8], "big") & ((1 << _BITS) - 1)
