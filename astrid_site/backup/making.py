"""Makes a backup of a running site: the database as it is at one moment, then every file that it names.

Files are written before their rows and removed after them, and nobody removes any while this is at work: what the
dump names is there when its turn to be copied comes.
"""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from django.conf import settings

from astrid_site.backup import manifest, objects, programs, state, sums
from astrid_site.backup.copying import Copier, copy_private
from astrid_site.backup.manifest import BackupRefused, Dump, Files, FilesAre, Manifest
from astrid_site.backup.progress import Progress, Say
from catalog.files import remote, removals, storage
from catalog.writing import size

_NAMED = "named.gz"
_MOST_TOLD = 5


@dataclass(frozen=True)
class Wanted:
    """What is to be in a backup. files: copied; None: as is usual, all of the data root, of a bucket its list.

    after: an earlier backup, whose files are linked to where they have not changed; None: the newest one beside it.
    """

    folder: Path
    files: bool | None = None
    secret: bool = True
    after: Path | None = None
    is_whole: bool = False


def make(wanted: Wanted, say: Say) -> Manifest:
    """Make a backup in a new folder; it has its name only when it is whole. Raises BackupRefused."""
    folder = wanted.folder.resolve()
    part = folder.with_name(f"{folder.name}.part")
    _check_place(folder)
    earlier = None if wanted.is_whole else _earlier(wanted.after, folder)
    if part.exists():
        say(f"{part} was cut off: it is made anew.")
        shutil.rmtree(part)
    part.mkdir(parents=True, mode=0o700)
    found = programs.programs(programs.server_major())
    with removals.suspended():
        made = _fill(part, wanted, earlier, found, say)
    _sync(part)
    part.rename(folder)
    _sync(folder.parent)
    return made


def _fill(part: Path, wanted: Wanted, earlier: Path | None, found: programs.Programs, say: Say) -> Manifest:
    progress = Progress(say)
    copier = Copier(part, earlier, progress)
    kept = _kept(wanted.files)
    copies = kept == FilesAre.COPIED and not remote.is_configured()
    if copies:
        copier.copy_short_lived()
    with state.snapshot() as key:
        if copies:
            copier.copy_short_lived()
        say("Database")
        _dump(part / manifest.DUMP, found, key, progress)
        holds = state.state(progress)
        _put_down_names(part / _NAMED)
    dump = Dump((part / manifest.DUMP).stat().st_size, sums.hashed(part / manifest.DUMP), found.version, found.major)
    dump = replace(dump, server=programs.server_major())
    files = Files(kept)
    if kept == FilesAre.COPIED:
        say("Files" if earlier is None else f"Files; those that have not changed are linked to {earlier}")
        files = objects.copied(part, earlier, progress) if remote.is_configured() else _copied(part, copier)
    elif kept == FilesAre.LISTED:
        say("Names of the shared storage's files")
        files = objects.listed(part, progress)
    files = replace(files, missing=_missing(part, files, say))
    made = Manifest(holds, dump, files, _program(), _secret(part) if wanted.secret else "")
    manifest.write(part, made)
    return made


def _check_place(folder: Path) -> None:
    if folder.exists():
        raise BackupRefused(f"{folder} is there already: name a folder that is not, such as one of today's date.")
    if folder.is_relative_to(storage.data_root()):
        raise BackupRefused(f"{folder} is inside the data root, and would be lost with it: name one on another disk.")


def _earlier(after: Path | None, folder: Path) -> Path | None:
    """Return the backup that files may be linked to: the one that is named, or the newest beside this one."""
    if after is not None:
        manifest.read(after)
        return after.resolve()
    found = []
    for path in folder.parent.glob(f"*/{manifest.MANIFEST}"):
        try:
            made = manifest.read(path.parent)
        except BackupRefused:
            continue
        if not path.parent.name.endswith(".part") and made.files.kept == FilesAre.COPIED:
            found.append((made.made_at, path.parent))
    return max(found)[1] if found else None


def _kept(files: bool | None) -> FilesAre:
    if files is None:
        return FilesAre.LISTED if remote.is_configured() else FilesAre.COPIED
    return FilesAre.COPIED if files else FilesAre.LEFT_OUT


def _dump(path: Path, found: programs.Programs, snapshot: str, progress: Progress) -> None:
    path.touch(mode=0o600)
    command = [
        str(found.folder / "pg_dump"), "--format=custom", f"--snapshot={snapshot}", "--schema=public", "--no-owner",
        "--no-privileges", "--verbose", f"--file={path}",
    ]  # fmt: skip
    programs.run(command, lambda line: progress(f"{line.removeprefix('pg_dump: ')} ({size(path.stat().st_size)})"))


def _put_down_names(path: Path) -> None:
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as file:
        file.writelines(f"{name}\n" for name in state.named_files())


def _copied(part: Path, copier: Copier) -> Files:
    path = part / manifest.SUMS
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        file.writelines(copier.copy_all(copier.names()))
    path.chmod(0o600)
    return Files(FilesAre.COPIED, copier.copied.count, copier.copied.bytes, sums.hashed(path))


def _missing(part: Path, files: Files, say: Say) -> int:
    """Tell which files rows name that are not in the backup; return how many."""
    count = 0
    if files.kept == FilesAre.COPIED:
        for name in _named(part / _NAMED):
            if not (part / manifest.FILES / name).exists():
                count += 1
                if count <= _MOST_TOLD:
                    say(f"A row names {name}, which is not there.")
    (part / _NAMED).unlink()
    return count


def _named(path: Path) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from (line.rstrip("\n") for line in file)


def _secret(part: Path) -> str:
    """Copy the secret that the site keeps in its data root; one that its surroundings give is theirs to keep."""
    path = storage.data_root() / manifest.SECRET
    if not path.is_file() or path.read_text() != settings.SECRET_KEY:
        return ""
    return copy_private(path, part / manifest.SECRET)


def _program() -> str:
    try:
        return version("astrid")
    except PackageNotFoundError:
        return "a clone"


def _sync(folder: Path) -> None:
    """Have everything on disk before the folder gets its name."""
    os.sync()
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
