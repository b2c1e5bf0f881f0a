"""Tells whether a backup is whole: every byte of it against the hashes that were taken when it was made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from astrid_site.backup import manifest, programs, sums
from astrid_site.backup.manifest import BackupRefused, FilesAre, Manifest
from astrid_site.backup.progress import Progress, Say
from catalog.writing import size

_MOST_TOLD = 20


def check(folder: Path, say: Say) -> Manifest:
    """Read a whole backup. Raises BackupRefused, which names the first faults, where anything is not as it was."""
    made = manifest.read(folder)
    faults: list[str] = []
    count = 0
    for fault in _faults(folder, made, Progress(say)):
        count += 1
        if len(faults) < _MOST_TOLD:
            faults.append(fault)
    if count:
        more = "" if count == len(faults) else f"\n… and {count - len(faults)} more."
        raise BackupRefused(f"{folder} is not whole; faults: {count}.\n" + "\n".join(faults) + more)
    return made


def _faults(folder: Path, made: Manifest, progress: Progress) -> Iterator[str]:
    yield from _of_file(folder / manifest.DUMP, made.dump.sha256, made.dump.bytes)
    if made.secret_sha256:
        yield from _of_file(folder / manifest.SECRET, made.secret_sha256)
    if made.files.kept == FilesAre.LISTED:
        yield from _of_file(folder / manifest.OBJECTS, made.files.sums_sha256)
    if made.files.kept != FilesAre.COPIED:
        return
    of_list = list(_of_file(folder / manifest.SUMS, made.files.sums_sha256))
    yield from of_list
    if not of_list:
        yield from _of_files(folder, made, progress)


def _of_files(folder: Path, made: Manifest, progress: Progress) -> Iterator[str]:
    read = 0
    for number, (digest, name) in enumerate(sums.lines(folder / manifest.SUMS), start=1):
        path = folder / manifest.FILES / name
        yield from _of_file(path, digest)
        read += path.stat().st_size if path.exists() else 0
        progress(f"{number} of {made.files.count} files, {size(read)} of {size(made.files.bytes)} compared")


def _of_file(path: Path, digest: str, length: int | None = None) -> Iterator[str]:
    """Yield what is wrong with one file, if anything is."""
    try:
        if length is not None and path.stat().st_size != length:
            yield f"{path.name} has {path.stat().st_size} bytes, and had {length}."
        elif sums.hashed(path) != digest:
            yield f"{path} was altered: its SHA-256 is not {digest}."
    except FileNotFoundError:
        yield f"{path} is missing."
    except OSError as error:
        yield f"{path} cannot be read: {error.strerror}."


def check_versions(made: Manifest, known: set[str], *, may_migrate: bool) -> programs.Programs:
    """Return the programs that can restore it here. Raises BackupRefused where versions do not fit.

    known : the migrations of this version of the program, as "app.name".
    """
    theirs = set(made.state.migrations)
    if beyond := sorted(theirs - known):
        raise BackupRefused(
            f"The backup is of a newer or another version of the program: this one does not know the migrations "
            f"{_some(beyond)}. Install the version that made it ({made.program})."
        )
    if (lacking := sorted(known - theirs)) and not may_migrate:
        raise BackupRefused(
            f"The backup is of an older version of the program, and lacks the migrations {_some(lacking)}. With "
            "--migrate it is restored and then brought up to date; or install the version that made it."
        )
    server = programs.server_major()
    if server < made.dump.server:
        raise BackupRefused(
            f"The backup was made of PostgreSQL {made.dump.server}, and this server is {server}: it cannot be restored "
            "into an older one."
        )
    return programs.programs(max(int(made.dump.made_by.split(".")[0]), server))


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
