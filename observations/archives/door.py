"""The way to an archive: through the one door, in its turn, with its token where it asks for one."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

from catalog.failures import FailureCode, StageFailure
from catalog.files.outgoing import Limits
from catalog.files.sessions import Door, origin
from observations.archives.courtesy import host_of, in_turn
from observations.models import Archive

# A hundred thousand rows of ObsCore are 100 MB as VOTable.
LIMITS = Limits(max_bytes=200_000_000, stall_seconds=180.0, whole_seconds=900.0, named="the limit of an answer")


def door_of(archive: Archive) -> Door:
    """Return the way to an archive. Raises StageFailure where its token is missing."""
    return Door(LIMITS, in_turn, home=archive.address, token=token_of(archive))


def authorization(archive: Archive, url: str) -> dict[str, str]:
    """Return the header for a file of an archive: its token goes to the archive's own server alone."""
    token = token_of(archive)
    return {"Authorization": f"Bearer {token}"} if token and origin(url) == origin(archive.address) else {}


def token_of(archive: Archive) -> str:
    """Return the token of an archive, "" where it needs none. It is not sent in plain text through the internet."""
    if not archive.credential:
        return ""
    token = settings.ASTRID_ARCHIVE_TOKENS.get(archive.credential, "")
    if not token:
        sentence = f"ASTRID_ARCHIVE_TOKENS holds no token called {archive.credential!r}."
        raise StageFailure(FailureCode.BAD_CONFIGURATION, sentence)
    parts = urlsplit(archive.address)
    is_own = {parts.hostname, host_of(archive.address)} & set(settings.ASTRID_OUTGOING_HOSTS)
    if parts.scheme != "https" and not is_own:
        sentence = f"The token of {archive} would go through the internet in plain text: give an address with https."
        raise StageFailure(FailureCode.BAD_CONFIGURATION, sentence)
    return token
