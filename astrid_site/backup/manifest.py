"""What a backup says of itself: of what it is, and what must be found in it and after it was restored."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

MANIFEST, DUMP, SUMS, OBJECTS, SECRET, FILES = (
    "manifest.json", "database.dump", "SHA256SUMS", "objects.txt", "secret_key", "files",
)  # fmt: skip
FORMAT = 1


class BackupRefused(Exception):
    """A backup cannot be made, is not whole, or does not fit; the text says why and what to do."""


class FilesAre(StrEnum):
    """What a backup has of the files."""

    COPIED = "copied"
    # Names and versions of the shared storage's objects, which is backed up by other means.
    LISTED = "listed"
    LEFT_OUT = "left out"


@dataclass(frozen=True)
class Table:
    """How many rows a table has, and the sum over hashes of all of them, which is that of no other content."""

    rows: int
    digest: str


@dataclass(frozen=True)
class Dump:
    """The database's part: bytes and SHA-256 of the dump, and the versions of the programs."""

    bytes: int
    sha256: str
    made_by: str
    server: int


@dataclass(frozen=True)
class Files:
    """The files' part. sums_sha256: of the list that names each; missing: files that rows name and were not there."""

    kept: FilesAre
    count: int = 0
    bytes: int = 0
    sums_sha256: str = ""
    missing: int = 0
    # Where they are, of those that are only listed.
    storage: str = ""


@dataclass(frozen=True)
class Feed:
    """How the feed of alerts is numbered: keys of its first and its last publication, and the last number."""

    first: str
    last: str
    sequence: int


@dataclass(frozen=True)
class State:
    """A database at one moment: migrations as "app.name", tables by name, ends of the audit chain and the feed."""

    made_at: str
    migrations: tuple[str, ...]
    tables: Mapping[str, Table]
    audit_position: int
    audit_hash: str
    feed: Feed | None


@dataclass(frozen=True)
class Manifest:
    """All that a backup says of itself; `secret_sha256` is "" where the secret is not in it."""

    state: State
    dump: Dump
    files: Files
    program: str
    secret_sha256: str = ""

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.state.tables.values())

    @property
    def made_at(self) -> dt.datetime:
        return dt.datetime.fromisoformat(self.state.made_at)


def write(folder: Path, manifest: Manifest) -> None:
    """Write a manifest with its own hash, by which a changed digit in it is seen."""
    content = asdict(manifest)
    document = {"format": FORMAT, "sha256": _digest(content), **content}
    path = folder / MANIFEST
    path.write_text(json.dumps(document, indent=1) + "\n")
    path.chmod(0o600)


def read(folder: Path) -> Manifest:
    """Return a backup's manifest. Raises BackupRefused where there is none, or one that was altered."""
    path = folder / MANIFEST
    try:
        document = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise BackupRefused(
            f"{folder} is no backup: it has no {MANIFEST}. One that was cut off ends in .part, and is of no use."
        ) from error
    except (OSError, ValueError) as error:
        raise BackupRefused(f"{path} cannot be read: {error}") from error
    if not isinstance(document, dict) or document.pop("format", None) != FORMAT:
        raise BackupRefused(f"{path} is not of the format {FORMAT}, which this version of the program reads.")
    if document.pop("sha256", None) != _digest(document):
        raise BackupRefused(f"{path} was altered after it was written: its own hash does not fit.")
    return _parsed(document)


def _digest(content: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _parsed(document: dict[str, dict[str, object]]) -> Manifest:
    """Read what `write` has written; its hash has been compared."""
    state, files = dict(document["state"]), dict(document["files"])
    state["migrations"] = tuple(state["migrations"])  # type: ignore[arg-type]
    state["tables"] = {name: Table(**table) for name, table in state["tables"].items()}  # type: ignore[attr-defined]
    state["feed"] = None if state["feed"] is None else Feed(**state["feed"])  # type: ignore[arg-type]
    files["kept"] = FilesAre(str(files["kept"]))
    return Manifest(
        state=State(**state),  # type: ignore[arg-type]
        dump=Dump(**document["dump"]),  # type: ignore[arg-type]
        files=Files(**files),  # type: ignore[arg-type]
        program=str(document["program"]),
        secret_sha256=str(document["secret_sha256"]),
    )
