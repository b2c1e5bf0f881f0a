"""Which backups there are, as far as this site knows: lines of the AuditLog that were written after each was made.

Such a line is not in the backup that it tells of. What a restored site has from before is told of by that site, and
counts for nothing here: none of those backups holds what came since.
"""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from astrid_site.backup.manifest import FilesAre, Manifest
from catalog.configuration.values import acceptable
from catalog.models import AuditLog
from catalog.people import audit
from catalog.writing import duration, size

_ENTITY = ("site", "backup")
_MADE, _WHOLE, _SPOILT, _RESTORE = "make_backup", "verify_backup", "find_backup_spoilt", "restore"
# So many of the newest lines are looked through: more of them without a good backup are as none.
_MOST_LINES = 200
_SECONDS_PER_DAY = 86_400.0


@dataclass(frozen=True)
class Backup:
    """A backup of this site. size_bytes : of the dump and of the files in it. verified_at : None, not yet.

    files : how the files are in it; missing : how many that rows name were not there.
    """

    made_at: dt.datetime
    host: str
    folder: str
    size_bytes: int
    files: FilesAre
    missing: int
    verified_at: dt.datetime | None = None

    @property
    def age_s(self) -> float:
        """Seconds since the moment as of which it holds the site."""
        return max((timezone.now() - self.made_at).total_seconds(), 0.0)

    @property
    def words(self) -> str:
        """What is in it, for people."""
        held = {FilesAre.COPIED: "with its files", FilesAre.LISTED: "the files' names alone"}
        lacking = f", {self.missing} files were missing" if self.missing else ""
        return f"{size(self.size_bytes)}, {held.get(self.files, 'without files')}{lacking}"


@transaction.atomic
def note_made(folder: Path, made: Manifest) -> None:
    """Put down that a backup was made."""
    new = {
        **_place(folder),
        "made_at": made.made_at.isoformat(),
        "size_bytes": made.dump.bytes + (made.files.bytes if made.files.kept == FilesAre.COPIED else 0),
        "files": made.files.kept.value,
        "missing": made.files.missing,
    }
    audit.record(_ENTITY, _MADE, new=new, summary=f"Backed up to {folder.resolve()}.")


@transaction.atomic
def note_verified(folder: Path, *, is_whole: bool) -> bool:
    """Put down what became of a look at a backup; False, and nothing, where it is none that this site knows of."""
    place = _place(folder)
    if not AuditLog.objects.filter(action=_MADE, new_values__contains=place).exists():
        return False
    summary = f"{folder.resolve()} is {'whole' if is_whole else 'not whole'}."
    audit.record(_ENTITY, _WHOLE if is_whole else _SPOILT, new=place, summary=summary)
    return True


def newest() -> Backup | None:
    """Return the newest backup that was not found spoilt; None where none was made, or none since a restore."""
    lines = AuditLog.objects.filter(action__in=(_MADE, _WHOLE, _SPOILT, _RESTORE), entity_type__in=("site", "backup"))
    looked_at: dict[tuple[object, object], AuditLog] = {}
    for line in lines.order_by("-created_at", "-id")[:_MOST_LINES]:
        if line.action == _RESTORE:
            return None
        place = line.new_values.get("host"), line.new_values.get("folder")
        look = looked_at.get(place)
        if line.action != _MADE:
            looked_at.setdefault(place, line)
        elif look is None or look.action == _WHOLE:
            return _read(line.new_values, None if look is None else look.created_at)
    return None


def warning(found: Backup | None) -> str:
    """Return why the newest backup is not enough, by `backup.warn_after_days`; "" where it is, or nobody asked."""
    days = int(acceptable()["backup.warn_after_days"])
    if not days:
        return ""
    if found is None:
        return "no backup of this site is known"
    if found.age_s <= days * _SECONDS_PER_DAY:
        return ""
    return f"the last backup is {duration(found.age_s)} old ({found.host}:{found.folder})"


def _place(folder: Path) -> dict[str, str]:
    return {"host": socket.gethostname(), "folder": str(folder.resolve())}


def _read(values: Mapping[str, object], verified_at: dt.datetime | None) -> Backup:
    return Backup(
        made_at=dt.datetime.fromisoformat(str(values["made_at"])),
        host=str(values["host"]),
        folder=str(values["folder"]),
        size_bytes=int(str(values["size_bytes"])),
        files=FilesAre(str(values["files"])),
        missing=int(str(values["missing"])),
        verified_at=verified_at,
    )
