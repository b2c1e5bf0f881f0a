"""The storage that several machines share, behind Django's storage interface; without one nothing here is asked.

It is the entry "products" of `settings.STORAGES`. The storage must replace an object whole or not at all, as S3 does.
One that can say more than Django's interface has it as attributes: `keeps_hashes`, `version(name)`, `is_full(error)`
and `faults`, the exceptions of its library (see `catalog.files.s3`).
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files import File
from django.core.files.storage import Storage, storages

ALIAS = "products"
NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_HASH = "sha256:"


class StorageUnreachable(Exception):
    """The shared storage does not answer or refuses; what it held before is untouched, and it is worth another try."""


class HashedFile(File):
    """A file to be stored, with the hash of its content."""

    def __init__(self, file: IO[bytes], name: str, sha256: str) -> None:
        super().__init__(file, name)
        self.sha256 = sha256


def is_configured() -> bool:
    """Tell whether machines share a storage."""
    return ALIAS in settings.STORAGES


def version(name: str) -> str | None:
    """Return what tells one content of an object from another, None where there is no object of that name.

    "" where the storage cannot tell: its clock counts in seconds, in which an object may be replaced.
    """
    store = storages[ALIAS]
    with _asked(store, name):
        if hasattr(store, "version"):
            told: str | None = store.version(name)
            return told
        # Only this question has the same answer of every storage where there is no object.
        if not store.exists(name):
            return None
        modified, size = store.get_modified_time(name), store.size(name)
    return f"{modified.isoformat()} {size}" if modified.microsecond else ""


def put(name: str, source: Path) -> str:
    """Send a file, in place of the object of that name; return the version that it is, "" where that cannot be known.

    Raises StorageUnreachable, or OSError "no space left" where the storage is full.
    """
    store = storages[ALIAS]
    with source.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        with _asked(store, name):
            stored = store.save(name, HashedFile(file, name, digest))
            if stored != name:
                store.delete(stored)
    if stored != name:
        raise ImproperlyConfigured(
            f"The shared storage gave {name} another name since there was one already: let it overwrite "
            "(file_overwrite or allow_overwrite in its options)."
        )
    # Elsewhere another machine may have replaced it before anybody could ask.
    return _HASH + digest if getattr(store, "keeps_hashes", False) else ""


def chunks(name: str) -> Iterator[bytes]:
    """Yield the content of an object; FileNotFoundError where there is none of that name."""
    store = storages[ALIAS]
    with _asked(store, name), store.open(name, "rb") as file:
        yield from file.chunks()


def is_of(content: str, wanted: str) -> bool:
    """Tell whether content of a hash may be that of a version; only where the version is a hash it can be known."""
    return not wanted.startswith(_HASH) or wanted == _HASH + content


def names(folder: str = "") -> Iterator[str]:
    """Yield the names of all objects under a folder, in the order of their parts."""
    store = storages[ALIAS]
    with _asked(store, folder or "its list"):
        folders, files = store.listdir(folder)
    for name in sorted({*folders, *files} - {"", "."}):
        whole = f"{folder}/{name}" if folder else name
        if name in files:
            yield whole
        if name in folders:
            yield from names(whole)


def delete(name: str) -> None:
    """Delete an object; one that is gone already is no error."""
    store = storages[ALIAS]
    with _asked(store, name):
        store.delete(name)


@contextmanager
def _asked(store: Storage, name: str) -> Iterator[None]:
    """Tell what goes wrong in the storage in our words."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, *getattr(store, "faults", ())) as error:
        if getattr(error, "errno", None) in NO_SPACE or (hasattr(store, "is_full") and store.is_full(error)):
            raise OSError(errno.ENOSPC, "the shared storage is full") from error
        raise StorageUnreachable(f"The shared storage does not take or give {name}: {error}") from error
