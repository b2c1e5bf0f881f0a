"""Our own names for what is reported: never given twice."""

from __future__ import annotations

import secrets
from uuid import UUID

from curation.models import ReportRow

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
# Of a trkSub of eight characters the first is a letter; what may be taken for one of these is left out.
_SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_LENGTH = 7


def new_trk_sub() -> str:
    """Return a name of eight characters for a tracklet, drawn until it is new here."""
    while True:
        name = "A" + "".join(secrets.choice(_SIGNS) for _ in range(_LENGTH))
        if not ReportRow.objects.filter(internal_name=name).exists():
            return name


def internal_name_of(source: UUID, year: int) -> str:
    """Return a name for a source, the same each time, but for a letter where it was used before."""
    number, letters = source.int, ""
    for _ in range(_LENGTH):
        number, rest = divmod(number, len(_LETTERS))
        letters += _LETTERS[rest]
    name = f"AstrID{year % 100:02d}{letters}"
    used = ReportRow.objects.filter(internal_name__startswith=name).count()
    return f"{name}_{used + 1}" if used else name
