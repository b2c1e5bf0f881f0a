"""What a run was made from, in one hash: the same inputs need no second run."""

from __future__ import annotations

import hashlib
import json


def hash_of(inputs: object) -> str:
    """Return the SHA-256 of inputs that JSON can hold, whatever the order of their keys; of others, of their text."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True, default=str).encode()).hexdigest()
