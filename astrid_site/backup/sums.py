"""The list of a backup's files with their hashes, in the form that `sha256sum --check` reads."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from astrid_site.backup.manifest import FILES, BackupRefused

_CHUNK_BYTES = 2**20


def line(digest: str, name: str) -> str:
    """Return the line of a file, named relative to the data root."""
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n")
    return f"{'' if escaped == name else chr(92)}{digest}  {FILES}/{escaped}\n"


def lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield hash and name of each file, in the order of the list. Raises BackupRefused for what is no such list."""
    with path.open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        for text in file:
            is_escaped, rest = text.startswith("\\"), text.rstrip("\n").removeprefix("\\")
            digest, gap, name = rest[:64], rest[64:66], rest[66:]
            if gap != "  " or not name.startswith(f"{FILES}/"):
                raise BackupRefused(f"{path} holds a line that names no file: {text[:120]!r}")
            name = name.removeprefix(f"{FILES}/")
            yield digest, _unescaped(name) if is_escaped else name


def _unescaped(name: str) -> str:
    return "\\".join(part.replace("\\n", "\n") for part in name.split("\\\\"))


def hashed(path: Path) -> str:
    """Return a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy(source: Path, file: BinaryIO) -> tuple[str, os.stat_result]:
    """Copy what a file holds into another; return its hash, and what the source was when it was opened."""
    digest = hashlib.sha256()
    with source.open("rb") as given:
        status = os.fstat(given.fileno())
        while part := given.read(_CHUNK_BYTES):
            digest.update(part)
            file.write(part)
    return digest.hexdigest(), status
