"""Files under the data root: written whole or not at all, never outside."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


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


def write_atomically(relative_path: str | os.PathLike[str], content: bytes, *, mode: int = 0o644) -> str:
    """Write a file whole, on disk when this returns, and return its path relative to the data root.

    Whatever goes wrong, the final name holds the old file or none. No room raises StorageFull.
    """
    path = resolve(relative_path)
    with room_for(path, len(content)):
        _make_folder(path.parent)
        _write_beside(path, content, mode)
    return path.relative_to(data_root()).as_posix()


def open_stored(relative_path: str | os.PathLike[str]) -> Path:
    """Return where a stored file lies, ready to be read; FileNotFoundError where there is none."""
    path = resolve(relative_path)
    if not path.is_file():
        raise FileNotFoundError(errno.ENOENT, "not in the data root", os.fspath(relative_path))
    return path


def remove(relative_path: str | os.PathLike[str]) -> None:
    """Remove a stored file; one that is gone already is no error, since a repeat must do no harm."""
    resolve(relative_path).unlink(missing_ok=True)


def _write_beside(path: Path, content: bytes, mode: int) -> None:
    """Write to a temporary name in the same folder, sync, rename, sync the folder."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:64]}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


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
