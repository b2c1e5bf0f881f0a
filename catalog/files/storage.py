"""Files under the data root: written whole or not at all, never outside.

Where machines share a storage (`catalog.files.remote`), the data root is one machine's working copy: what is written is
in both before the writer goes on, and what is read is the shared storage's present content. A working copy may be
deleted at any time.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from django.conf import settings

from catalog.files import remote
from catalog.files.remote import NO_SPACE, StorageUnreachable

__all__ = [
    "NO_SPACE", "OF_THIS_MACHINE", "OutsideStorage", "StorageFull", "StorageUnreachable", "data_root", "exists",
    "keep", "open_stored", "remove", "remove_folder", "resolve", "room_for", "share", "write_all", "write_atomically",
    "write_parts", "write_whole",
]  # fmt: skip

# What lies in the data root and is never shared: services and secret of one machine, what it can make again by
# itself, and the demo, which runs on one machine.
OF_THIS_MACHINE = frozenset(
    {"broker", "compiled", "demo", "log", "postgres", "run", "secret_key", "star_catalog", "training"}
)
# An object that is replaced while it is fetched is fetched again, this often.
_MOST_FETCHES = 3
# What to do with a whole file, synced, that has not yet its name; returns the version of the shared object that it is.
_Sending = Callable[[Path], str]


class StorageFull(Exception):
    """There is no room for a product; what was there before is untouched."""


class OutsideStorage(Exception):
    """A path leads out of the data root."""


def data_root() -> Path:
    """Return the folder under which everything lies that is written."""
    return Path(settings.ASTRID_DATA_ROOT).resolve()


def resolve(relative_path: str | os.PathLike[str]) -> Path:
    """Return where a stored path lies; refuse one that leads out of the data root, by dots, link or root."""
    root = data_root()
    path = (root / relative_path).resolve()
    if not path.is_relative_to(root) or path == root:
        raise OutsideStorage(f"{os.fspath(relative_path)!r} is not inside the data root.")
    return path


@contextmanager
def room_for(path: Path, size_bytes: int | None = None) -> Iterator[None]:
    """Turn the lack of space while a file is written into StorageFull."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_SPACE:
            size = "" if size_bytes is None else f" ({size_bytes} bytes)"
            raise StorageFull(f"No room for {path.name}{size}: {error.strerror}.") from error
        raise


def write_atomically(relative_path: str | os.PathLike[str], content: bytes | bytearray, *, mode: int = 0o644) -> str:
    """Write a file whole, on disk when this returns, and return its path relative to the data root.

    Whatever goes wrong, the final name holds the old file or none, here and in a shared storage. No room raises
    StorageFull, a shared storage that does not answer StorageUnreachable.
    """
    path = resolve(relative_path)
    with room_for(path, len(content)):
        _make_folder(path.parent)
        _write_beside(path, [content], mode, _sending(path))
    return _name_of(path)


def write_all(contents: Mapping[str, bytes]) -> None:
    """Write many files, each whole, all on disk when this returns; their folders are synced once, at the end.

    Where it ends early some are there and others are not: what points at them is written after them.
    """
    folders = set()
    for relative_path, content in contents.items():
        path = resolve(relative_path)
        with room_for(path, len(content)):
            if path.parent not in folders:
                _make_folder(path.parent)
                folders.add(path.parent)
            _write_unsynced(path, [content], 0o644, _sending(path))
    for folder in folders:
        _sync_folder(folder)


def write_whole(path: Path, content: bytes | bytearray) -> None:
    """Write a file whole or not at all anywhere, such as in a folder that a person named; no room: StorageFull."""
    with room_for(path, len(content)):
        _write_beside(path, [content], 0o644, None)


def write_parts(path: Path, parts: Iterable[bytes]) -> None:
    """Do the same with what comes bit by bit."""
    with room_for(path):
        _write_beside(path, parts, 0o644, None)


def keep(relative_path: str, source: Path) -> str:
    """Keep a file that lies elsewhere as it is, linked where possible, else copied; one that is kept already stays."""
    path = resolve(relative_path)
    if _exists(path):
        return relative_path
    send, sent = _sending(path), None
    if send is not None:
        # Taken first: a source that is written to meanwhile is not what was sent.
        status = source.stat()
        with room_for(path):
            sent = (send(source), status)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source.resolve(), path)
    except FileExistsError:
        return relative_path
    except OSError:
        # Another file system, or a file that may not be linked to. What was sent is fetched where it is read.
        if sent is None:
            content = source.read_bytes()
            with room_for(path, len(content)):
                _write_beside(path, [content], 0o644, None)
        return relative_path
    if sent is not None:
        _note(path, *sent)
    return relative_path


def share(relative_path: str) -> None:
    """Send a file that was written under its final name, bit by bit, to the shared storage, where there is one."""
    if not remote.is_configured():
        return
    path = resolve(relative_path)
    send = _sending(path)
    if send is not None:
        status = path.stat()
        with room_for(path):
            _note(path, send(path), status)


def exists(relative_path: str | os.PathLike[str]) -> bool:
    """Tell whether there is a stored file of this name: in the shared storage, where there is one."""
    return _exists(resolve(relative_path))


def open_stored(relative_path: str | os.PathLike[str]) -> Path:
    """Return where a stored file lies, ready to be read; FileNotFoundError where there is none.

    What another machine has written or replaced is brought here first: no room for it raises StorageFull, a shared
    storage that does not answer StorageUnreachable.
    """
    path = resolve(relative_path)
    is_there = _bring(path) if _is_shared(path) else path.is_file()
    if not is_there:
        raise FileNotFoundError(errno.ENOENT, "not in the data root", os.fspath(relative_path))
    return path


def remove(relative_path: str | os.PathLike[str]) -> None:
    """Remove a stored file; one that is gone already is no error, since a repeat must do no harm."""
    path = resolve(relative_path)
    if _is_shared(path):
        remote.delete(_name_of(path))
        _note_of(path).unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def remove_folder(relative_path: str | os.PathLike[str]) -> None:
    """Remove a folder with all that is stored in it; one that is not there is no error."""
    path = resolve(relative_path)
    if _is_shared(path):
        for name in remote.names(_name_of(path)):
            remote.delete(name)
    shutil.rmtree(path, ignore_errors=True)


def _name_of(path: Path) -> str:
    return path.relative_to(data_root()).as_posix()


def _exists(path: Path) -> bool:
    return remote.version(_name_of(path)) is not None if _is_shared(path) else path.is_file()


def _is_shared(path: Path) -> bool:
    return remote.is_configured() and path.relative_to(data_root()).parts[0] not in OF_THIS_MACHINE


def _write_beside(path: Path, content: Iterable[bytes | bytearray], mode: int, send: _Sending | None) -> None:
    """Write to a temporary name in the same folder, sync, send it to where it is shared, rename, sync the folder."""
    _write_unsynced(path, content, mode, send)
    _sync_folder(path.parent)


def _write_unsynced(path: Path, content: Iterable[bytes | bytearray], mode: int, send: _Sending | None) -> None:
    """Do all of that but the last, without which the new name may be lost in a power cut, and nothing else."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:64]}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            for part in content:
                file.write(part)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        sent = None if send is None else (send(Path(name)), Path(name).stat())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    if sent is not None:
        _note(path, *sent)


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, each entered in its parent on disk."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- The working copy of a shared storage ---


def _sending(path: Path) -> _Sending | None:
    """Return how a file of this name is sent to the shared storage, None where it stays here."""
    return partial(remote.put, _name_of(path)) if _is_shared(path) else None


def _bring(path: Path) -> bool:
    """Make the local file the shared storage's present content; return False where that has none."""
    name = _name_of(path)
    for _ in range(_MOST_FETCHES):
        version = remote.version(name)
        if version is None:
            return False
        if version and version == _noted(path):
            return True
        with room_for(path):
            _make_folder(path.parent)
            try:
                if _fetch(path, name, version):
                    return True
            except FileNotFoundError:
                # Removed between the two questions: the next one tells.
                continue
    raise StorageUnreachable(f"What came of {name} is not what the shared storage says it is, {_MOST_FETCHES} times.")


def _fetch(path: Path, name: str, version: str) -> bool:
    """Write an object's content to its local name, whole or not at all; False where another version came."""
    digest = hashlib.sha256()

    def hashed() -> Iterator[bytes]:
        for part in remote.chunks(name):
            digest.update(part)
            yield part

    def check(_: Path) -> str:
        if not remote.is_of(digest.hexdigest(), version):
            raise _Replaced
        return version

    try:
        _write_beside(path, hashed(), 0o644, check)
    except _Replaced:
        return False
    return True


class _Replaced(Exception):
    """The object was replaced while it was fetched."""


def _note_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.remote")


def _note(path: Path, version: str, status: os.stat_result) -> None:
    """Put down beside a local file which version of the shared object it is; no version: it is fetched when read."""
    if version:
        note = _note_of(path)
        text = json.dumps({"version": version, "local": _identity(status)})
        with room_for(note):
            _write_beside(note, [text.encode()], 0o644, None)


def _noted(path: Path) -> str:
    """Return which version the local file is, "" where it is gone, changed or unknown."""
    try:
        note = json.loads(_note_of(path).read_text())
        return str(note["version"]) if note["local"] == _identity(path.stat()) else ""
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return ""


def _identity(status: os.stat_result) -> list[int]:
    """Return what changes when a file is written to or replaced."""
    return [status.st_ino, status.st_size, status.st_mtime_ns]
