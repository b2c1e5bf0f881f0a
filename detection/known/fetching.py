"""Orbits from an address: fetched, loaded, and what was fetched is not kept."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from catalog.files.outgoing import Limits, fetch
from detection.known.loading import Progress, Wanted, load
from detection.models import OrbitSet

# The Minor Planet Center's list is 1.7 GB as JSON that is not packed.
_LARGEST_BYTES = 4_000_000_000


def file_of(address: str) -> str:
    """Return the name of the file at an address."""
    return Path(urlsplit(address).path).name


def load_address(address: str, progress: Progress, name: str = "", orbits_at: datetime | None = None) -> OrbitSet:
    """Load the orbits at an address; `name` and `orbits_at` as of `Wanted`.

    Raises AddressRefused and DownloadFailed where it cannot be fetched, what `load` raises, and what stops the job of
    this thread.
    """
    with tempfile.TemporaryDirectory(dir=settings.ASTRID_DATA_ROOT) as folder:
        path = Path(folder) / "orbits"
        fetch(address, path, Limits(_LARGEST_BYTES))
        return load(Wanted(path, file_of(address), name, orbits_at), progress)
