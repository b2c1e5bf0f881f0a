"""What lies in a data root, by its content."""

from __future__ import annotations

import hashlib
from pathlib import Path

KINDS = ("raw", "masters", "processed", "references", "differences", "cutouts", "models")
_KNOWN: dict[tuple[str, int, int], str] = {}


def hashes(root: Path) -> dict[str, set[str]]:
    """Return the hashes of all products in a data root, by the folder that they are in."""
    return {kind: {_hash(path) for path in (root / kind).rglob("*") if path.is_file()} for kind in KINDS}


def _hash(path: Path) -> str:
    status = path.stat()
    key = (str(path), status.st_ino, status.st_mtime_ns)
    if key not in _KNOWN:
        _KNOWN[key] = hashlib.sha256(path.read_bytes()).hexdigest()
    return _KNOWN[key]
