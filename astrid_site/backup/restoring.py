"""Puts a backup back: nothing is touched before all of it was compared, and what was cut off is done again.

First the files, which nothing names yet, then the database in one transaction. What was in the site is set aside.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from astrid_site.backup import checking, manifest, objects, programs, site, state, sums
from astrid_site.backup.copying import SET_ASIDE, copy_private
from astrid_site.backup.manifest import BackupRefused, FilesAre, Manifest
from astrid_site.backup.progress import Progress, Say
from catalog.chain.verifying import verify
from catalog.files import remote, storage
from catalog.people import audit
from catalog.writing import size

# Which restore was begun and has not ended.
_BEGUN = "run/restoring.json"
_MOST_TOLD = 5
_CHUNK_BYTES = 2**20


@dataclass(frozen=True)
class Wanted:
    """What is to be restored, and how. replace: what is in the site is set aside; migrate: an older backup fits."""

    folder: Path
    replace: bool = False
    migrate: bool = False


@dataclass(frozen=True)
class _Begun:
    """A restore at work: of which backup, and under what name that which was there is set aside; "": nothing is."""

    backup: str
    aside: str


def restore(wanted: Wanted, say: Say) -> list[str]:
    """Put a backup back into this site; return what to tell of it.

    Raises BackupRefused, before anything is touched where that can be known.
    """
    say("Comparing the backup with its hashes")
    made = checking.check(wanted.folder, say)
    found = checking.check_versions(made, site.known_migrations(), may_migrate=wanted.migrate)
    site.check_nobody_uses_it()
    begun = _begin(wanted, made)
    _put_files(wanted.folder, made, say)
    _put_database(wanted.folder, made, found, begun, say)
    _put_secret(wanted.folder, made)
    _compare(made, say)
    if wanted.migrate:
        call_command("migrate", verbosity=0, interactive=False)
    with transaction.atomic():
        audit.record(("backup", made.state.made_at), "restore", summary=f"Restored from {wanted.folder}.")
    storage.resolve(_BEGUN).unlink()
    return list(_report(wanted, made, begun))


def _begin(wanted: Wanted, made: Manifest) -> _Begun:
    """Put down what is begun, and set the site's files aside; raise BackupRefused where that was not allowed."""
    backup = hashlib.sha256((wanted.folder / manifest.MANIFEST).read_bytes()).hexdigest()
    known = _known()
    if known is not None and known.backup == backup:
        return known
    with_files = made.files.kept == FilesAre.COPIED
    there = site.contents(with_files=with_files).words
    if there and not wanted.replace:
        raise BackupRefused(
            f"The site is not empty: {there}. Restore into an empty one, or say --replace: what is there is then set "
            "aside in the database and in the data root, and nothing of it is deleted."
        )
    begun = _Begun(backup, f"{timezone.now():%Y%m%d-%H%M%S}" if there else "")
    storage.write_atomically(_BEGUN, json.dumps(asdict(begun)).encode())
    if there and with_files:
        _set_files_aside(begun)
    return begun


def _known() -> _Begun | None:
    try:
        return _Begun(**json.loads(storage.resolve(_BEGUN).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _set_files_aside(begun: _Begun) -> None:
    root = storage.data_root()
    folder = root / f"{SET_ASIDE}{begun.aside}"
    for entry in sorted(root.iterdir()):
        if entry.name not in storage.OF_THIS_MACHINE and not entry.name.startswith((SET_ASIDE, ".")):
            folder.mkdir(exist_ok=True)
            entry.rename(folder / entry.name)


def _put_files(folder: Path, made: Manifest, say: Say) -> None:
    if made.files.kept != FilesAre.COPIED:
        return
    say(f"{made.files.count} files, {size(made.files.bytes)}")
    progress, done = Progress(say), 0
    for number, (digest, name) in enumerate(sums.lines(folder / manifest.SUMS), start=1):
        source, target = folder / manifest.FILES / name, storage.resolve(name)
        if not _is_there(target, digest, source.stat().st_size):
            _put_file(source, target, digest)
            storage.share(name)
        done += source.stat().st_size
        progress(f"{number} of {made.files.count} files, {size(done)}")
    os.sync()


def _is_there(target: Path, digest: str, length: int) -> bool:
    """Tell whether an earlier try has put a file already; a shared storage is asked by sending again."""
    if remote.is_configured() or not target.is_file() or target.stat().st_size != length:
        return False
    return sums.hashed(target) == digest


def _put_file(source: Path, target: Path, digest: str) -> None:
    """Copy a file to its place, whole, with its time, by which the next backup knows it."""
    taken = hashlib.sha256()

    def parts() -> Iterator[bytes]:
        with source.open("rb") as file:
            while part := file.read(_CHUNK_BYTES):
                taken.update(part)
                yield part

    target.parent.mkdir(parents=True, exist_ok=True)
    storage.write_parts(target, parts())
    if taken.hexdigest() != digest:
        target.unlink()
        raise BackupRefused(f"{source} changed while it was copied: its disk is failing, or somebody writes to it.")
    status = source.stat()
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def _put_database(folder: Path, made: Manifest, found: programs.Programs, begun: _Begun, say: Say) -> None:
    there = site.contents(with_files=False)
    if there.filled and not begun.aside:
        # Only an earlier try that was cut off after its last step leads here.
        say("The database was restored already")
        return
    if begun.aside and _is_aside(begun):
        say("The database was restored already")
        return
    say(f"Database, {made.rows} rows")
    progress, done = Progress(say), 0
    connection.close()
    with programs.statements(found) as take:
        take(_making_room(there, begun).encode())
        for part in programs.dumped_sql(found, folder / manifest.DUMP):
            take(part)
            done += len(part)
            progress(f"{size(done)} of statements and rows")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _making_room(there: site.Contents, begun: _Begun) -> str:
    """Return what is done before the dump's statements: rows are set aside, an empty site's tables are dropped."""
    if there.filled:
        return f"ALTER SCHEMA public RENAME TO {_schema(begun)};\nCREATE SCHEMA public;\n"
    return "DROP SCHEMA public CASCADE;\nCREATE SCHEMA public;\n" if there.has_tables else ""


def _schema(begun: _Begun) -> str:
    return f'"before_restore_{begun.aside}"'


def _is_aside(begun: _Begun) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regnamespace(%s) IS NOT NULL", [_schema(begun)])
        return bool(cursor.fetchone()[0])


def _put_secret(folder: Path, made: Manifest) -> None:
    if made.secret_sha256:
        beside = storage.data_root() / f".{manifest.SECRET}.part"
        copy_private(folder / manifest.SECRET, beside)
        beside.replace(storage.data_root() / manifest.SECRET)


def _compare(made: Manifest, say: Say) -> None:
    """Compare what is there now with what the backup says. Raises BackupRefused for any difference."""
    say("Comparing rows with the backup")
    with transaction.atomic():
        now = state.state(Progress(say))
    wrong = [
        f"{name}: {now.tables.get(name)}, in the backup {table}"
        for name, table in made.state.tables.items()
        if now.tables.get(name) != table
    ]
    if wrong or now.feed != made.state.feed:
        raise BackupRefused(f"{len(wrong)} tables differ from the backup: {'; '.join(wrong[:_MOST_TOLD])}")
    chain = verify()
    if chain.fault_count or (chain.position, chain.hash) != (made.state.audit_position, made.state.audit_hash):
        raise BackupRefused(f"The audit chain is not that of the backup: {' '.join(chain.faults[:_MOST_TOLD])}")


def _report(wanted: Wanted, made: Manifest, begun: _Begun) -> Iterator[str]:
    """Yield, line by line, what was restored and compared."""
    yield f"Restored the site as of {made.made_at:%Y-%m-%d %H:%M:%S} UTC."
    yield f"Database: {made.rows} rows in {len(made.state.tables)} tables; all counts and hashes are the backup's."
    yield from _of_files(wanted.folder, made)
    yield f"Audit log: {made.state.audit_position} sealed lines verified."
    feed = made.state.feed
    if feed is not None:
        yield (
            f"Feed: it ends at publication {feed.sequence}. Readers that have later ones are told so (409, "
            "other_numbering); the others notice nothing."
        )
    if begun.aside:
        yield (
            f"What was there before is in the schema {_schema(begun)} and in "
            f"{storage.data_root() / f'{SET_ASIDE}{begun.aside}'}. When it is not needed any more: DROP SCHEMA "
            f"{_schema(begun)} CASCADE, and remove the folder."
        )


def _of_files(folder: Path, made: Manifest) -> Iterator[str]:
    files = made.files
    if files.kept == FilesAre.COPIED:
        yield f"Files: {files.count}, {size(files.bytes)}; all hashes are the backup's."
    elif files.kept == FilesAre.LISTED:
        yield f"Files: {files.count} in {files.storage} when the backup was made, which has their names alone."
        yield from _of_objects(folder, files.storage)
    else:
        yield "Files: the backup has none."
    if files.missing:
        yield f"{files.missing} files that rows name were not there when the backup was made."


def _of_objects(folder: Path, where: str) -> Iterator[str]:
    if not remote.is_configured():
        yield "ASTRID_STORAGE is not set here: nothing that they hold is shown."
        return
    gone = list(islice(objects.gone(folder / manifest.OBJECTS), _MOST_TOLD))
    if gone:
        yield f"Not all of them are in {where} now; the first that are missing: {', '.join(gone)}."
