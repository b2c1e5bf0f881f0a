"""The files of a site, copied into a backup while they are used; what an earlier backup has is linked to it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from astrid_site.backup import sums
from astrid_site.backup.manifest import FILES, SUMS
from astrid_site.backup.progress import Progress
from catalog.files import storage
from catalog.writing import size

# What was set aside by a restore is no part of the site any more.
SET_ASIDE = "before-restore-"
# Files that live for seconds: they are copied before the database is read, and again after it.
SHORT_LIVED = "incoming"


@dataclass
class Copied:
    """How much was copied, and how many of these files were linked."""

    count: int = 0
    bytes: int = 0
    linked: int = 0


class Copier:
    """Copies the data root into a backup, in the order of names; the list of hashes grows with it."""

    def __init__(self, into: Path, earlier: Path | None, progress: Progress) -> None:
        self._root, self._into = storage.data_root(), into / FILES
        self._earlier = None if earlier is None else Earlier(earlier)
        self._progress = progress
        self.copied = Copied()

    def copy_short_lived(self) -> None:
        """Copy what may be gone when its turn comes."""
        for name in walk(self._root, only=SHORT_LIVED):
            self._put(name)

    def copy_all(self, names: Iterator[str]) -> Iterator[str]:
        """Copy files, and yield their lines for the list; one that is gone meanwhile has none, as it has no row."""
        for name in names:
            digest = self._linked(name) or self._put(name)
            if digest is None:
                continue
            self.copied.count += 1
            self.copied.bytes += (self._into / name).stat().st_size
            self._progress(f"{self.copied.count} files, {size(self.copied.bytes)}")
            yield sums.line(digest, name)

    def names(self) -> Iterator[str]:
        """Yield the names of the site's files, and of those that were there a moment ago and are kept."""
        kept = set(walk(self._into, only=SHORT_LIVED)) - set(walk(self._root, only=SHORT_LIVED))
        yield from sorted(kept, key=_order)
        yield from walk(self._root)

    def _linked(self, name: str) -> str | None:
        """Link to the file of an earlier backup if ours is the same by size and time; return its hash."""
        known = self._earlier and self._earlier.same(name, self._root / name)
        if not known:
            return None
        if not link(known, self._into / name):
            return None
        self.copied.linked += 1
        return known.digest

    def _put(self, name: str) -> str | None:
        """Copy a file with its times; return its hash, None where it is gone and was not copied before."""
        target = self._into / name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside = target.with_name(f".{target.name[:64]}.copy")
        try:
            with beside.open("wb") as file:
                digest, status = sums.copy(self._root / name, file)
            os.utime(beside, ns=(status.st_atime_ns, status.st_mtime_ns))
        except FileNotFoundError:
            beside.unlink(missing_ok=True)
            return sums.hashed(target) if target.is_file() else None
        beside.chmod(0o600)
        beside.replace(target)
        return digest


def link(known: Known, target: Path) -> bool:
    """Make a file of an earlier backup one of this backup too; say whether the disk allows it."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    target.unlink(missing_ok=True)
    try:
        os.link(known.path, target)
    except OSError:
        return False
    return True


def walk(root: Path, only: str = "") -> Iterator[str]:
    """Yield the names of the files under a data root that belong to the site, in the order of their parts.

    Left out is what is one machine's, what is not written yet, and what a restore set aside.
    """
    for entry in _entries(root):
        if entry.name in storage.OF_THIS_MACHINE or entry.name.startswith(SET_ASIDE) or (only and entry.name != only):
            continue
        yield from _files(entry, entry.name)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []


def _files(entry: os.DirEntry[str], name: str) -> Iterator[str]:
    if entry.is_dir(follow_symlinks=False):
        for inner in _entries(Path(entry.path)):
            yield from _files(inner, f"{name}/{inner.name}")
    elif entry.is_file() and not entry.name.startswith("."):
        yield name


def _order(name: str) -> list[str]:
    return name.split("/")


@dataclass(frozen=True)
class Known:
    """A file of an earlier backup, and its hash."""

    path: Path
    digest: str


class Earlier:
    """An earlier backup's list, read alongside: both are in the same order, so that none has to be in memory."""

    def __init__(self, folder: Path) -> None:
        self._files = folder / FILES
        self._lines = sums.lines(folder / SUMS)
        self._next = next(self._lines, None)

    def find(self, name: str) -> Known | None:
        """Return the earlier copy of a file; names are asked for in their order."""
        while self._next is not None and _order(self._next[1]) < _order(name):
            self._next = next(self._lines, None)
        if self._next is None or self._next[1] != name:
            return None
        return Known(self._files / name, self._next[0])

    def same(self, name: str, source: Path) -> Known | None:
        """Return the earlier copy of a file that has not changed since, by size and time."""
        known = self.find(name)
        if known is None:
            return None
        try:
            now, then = source.stat(), known.path.stat()
        except FileNotFoundError:
            return None
        return known if (now.st_size, now.st_mtime_ns) == (then.st_size, then.st_mtime_ns) else None


def copy_private(source: Path, target: Path) -> str:
    """Copy a file that only its owner may read; return its hash."""
    shutil.copyfile(source, target)
    target.chmod(0o600)
    return sums.hashed(target)
