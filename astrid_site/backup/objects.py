"""The files of a shared storage: their names in a backup, or their content too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from astrid_site.backup import sums
from astrid_site.backup.copying import Earlier, link
from astrid_site.backup.manifest import FILES, OBJECTS, SUMS, Files, FilesAre
from astrid_site.backup.progress import Progress
from catalog.files import remote, storage
from catalog.writing import size


def listed(into: Path, progress: Progress) -> Files:
    """Put down the names of all objects; their content is to be kept by the storage's own means."""
    path, count = into / OBJECTS, 0
    with path.open("w", encoding="utf-8") as file:
        for count, name in enumerate(remote.names(), start=1):
            file.write(f"{name}\n")
            progress(f"{count} names")
    path.chmod(0o600)
    return Files(FilesAre.LISTED, count, 0, sums.hashed(path), storage=_where())


def copied(into: Path, earlier: Path | None, progress: Progress) -> Files:
    """Fetch all objects; those whose hash an earlier backup has are linked to it."""
    known = None if earlier is None else Earlier(earlier)
    path, count, whole = into / SUMS, 0, 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for name in remote.names():
            target = into / FILES / name
            digest = _linked(known, name, target) or _fetched(name, target)
            if digest is None:
                continue
            file.write(sums.line(digest, name))
            count, whole = count + 1, whole + target.stat().st_size
            progress(f"{count} files, {size(whole)}")
    path.chmod(0o600)
    return Files(FilesAre.COPIED, count, whole, sums.hashed(path), storage=_where())


def gone(names: Path) -> Iterator[str]:
    """Yield those of the listed objects that the storage does not have any more; both are in the same order."""
    there = remote.names()
    next_there = next(there, None)
    with names.open(encoding="utf-8") as file:
        for line in file:
            name = line.rstrip("\n")
            while next_there is not None and next_there.split("/") < name.split("/"):
                next_there = next(there, None)
            if next_there != name:
                yield name


def _linked(earlier: Earlier | None, name: str, target: Path) -> str | None:
    known = None if earlier is None else earlier.find(name)
    if known is None or remote.version(name) != f"sha256:{known.digest}" or not link(known, target):
        return None
    return known.digest


def _fetched(name: str, target: Path) -> str | None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        storage.write_parts(target, remote.chunks(name))
    except FileNotFoundError:
        return None
    target.chmod(0o600)
    return sums.hashed(target)


def _where() -> str:
    given = settings.STORAGES[remote.ALIAS]
    options = given.get("OPTIONS") if isinstance(given, dict) else None
    place = options if isinstance(options, dict) else {}
    bucket = f"s3://{place['bucket_name']}/{place.get('location', '')}" if "bucket_name" in place else ""
    return bucket or str(given)
