"""Take in one file that came by an address, an upload or a watched folder."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from catalog.configuration.values import Snapshot, snapshot
from catalog.failures import FailureCode, StageFailure
from catalog.files import outgoing, storage
from catalog.files.addresses import AddressRefused
from catalog.files.resuming import fetch_on, give_up
from catalog.work import jobs
from observations.claims.reading import unpacked
from observations.delivery.incoming import incoming_path
from observations.delivery.ingest import Delivery, IngestResult, ingest_file
from observations.delivery.results import written
from observations.models import IncomingFile, IncomingRoute

logger = logging.getLogger(__name__)

Note = Callable[[Sequence[IngestResult]], object]


def run(incoming_id: str) -> None:
    """Fetch the file if need be, take in its images, and put down what became of each.

    A repeat takes up where the last try ended. Raises StageFailure with the reason where nothing of it can be used.
    """
    config = snapshot()
    row = IncomingFile.objects.get(pk=incoming_id)
    if row.route == IncomingRoute.URL and not row.stored_path:
        fetch(row, config)
    take_in(row, config)


def take_in(row: IncomingFile, config: Snapshot, note: Note = lambda _: None) -> None:
    """Take in the images of a file that is here; `note` writes what else is to be known of them, in one transaction.

    Raises StageFailure with the reason where an image cannot be used.
    """
    found = ingest_file(_path(row), Delivery(unpacked(row.overrides), config, row.workflow_id, row.survey))
    named = [replace(result, path=Path(row.name)) for result in found]
    refused = [result for result in named if result.is_refused]
    waits = [result for result in refused if result.failure_code in jobs.WAITS_OUT]
    if waits:
        # Its bytes are kept: the next try needs them.
        raise StageFailure(FailureCode(waits[0].failure_code), f"{row.name}: {waits[0].error_message}")
    with jobs.writing(last=not refused):
        row.results = [written(result) for result in named]
        row.stored_path = ""
        row.save()
        note(named)
    if row.route != IncomingRoute.DIRECTORY:
        forget(row)
    if refused:
        sentence = " ".join(result.error_message for result in refused)
        raise StageFailure(FailureCode(refused[0].failure_code), f"{row.name}: {sentence}")


def abandon(incoming_id: str, code: FailureCode, _: str) -> None:
    """The row's state is its job's; what was received so far is of no use any more."""
    row = IncomingFile.objects.filter(pk=incoming_id).first()
    if row is not None and row.route == IncomingRoute.URL and code not in jobs.WAITS_OUT:
        forget(row)
        IncomingFile.objects.filter(pk=row.pk).update(stored_path="")


def _path(row: IncomingFile) -> Path:
    """Return where the file lies."""
    if row.route == IncomingRoute.DIRECTORY:
        return Path(row.address)
    try:
        return storage.open_stored(row.stored_path or incoming_path(row))
    except FileNotFoundError as error:
        sentence = f"{row.name} is no longer there: upload it again."
        raise StageFailure(FailureCode.FILE_MISSING, sentence) from error


def forget(row: IncomingFile) -> None:
    """Remove the bytes of a file that is taken in or given up."""
    path = incoming_path(row)
    try:
        storage.remove(path)
    except storage.StorageUnreachable as error:
        # The work is done all the same; a file too many harms nobody.
        logger.warning("%s stays: %s", path, error)
    shutil.rmtree(storage.resolve(path).parent, ignore_errors=True)


def fetch(
    row: IncomingFile,
    config: Snapshot,
    url: str = "",
    headers: Mapping[str, str] | None = None,
    turn: Callable[[str], object] | None = None,
) -> None:
    """Write what lies at the row's address, or at `url` for it, to its place, from where the last try was cut.

    turn : called with each address before it is asked. Raises StageFailure, from what the network said; what came until
    then is kept.
    """
    target = storage.resolve(incoming_path(row))
    limits = outgoing.Limits(max_bytes=config["ingest.max_file_mb"] * 1_000_000)
    try:
        with storage.room_for(target):
            row.received_bytes = fetch_on(
                url or row.address, target, limits, _Progress(row), headers=headers, turn=turn
            )
    except storage.StorageFull:
        # A stump would keep the room that others need.
        give_up(target)
        raise
    except AddressRefused as refusal:
        raise StageFailure(FailureCode.ADDRESS_REFUSED, str(refusal)) from refusal
    except outgoing.DownloadFailed as failure:
        code = FailureCode.NETWORK_FAULT if failure.is_transient else FailureCode.DOWNLOAD_FAILED
        raise StageFailure(code, str(failure), retry_after_s=failure.retry_after_s) from failure
    storage.share(incoming_path(row))
    with jobs.writing():
        row.size_bytes, row.stored_path = row.received_bytes, incoming_path(row)
        row.save()


class _Progress:
    """Puts down how much has come, once a second."""

    def __init__(self, row: IncomingFile) -> None:
        self._row, self._last = row, time.monotonic()

    def __call__(self, received: int, whole: int | None) -> None:
        if time.monotonic() - self._last >= 1.0:
            IncomingFile.objects.filter(pk=self._row.pk).update(received_bytes=received, size_bytes=whole)
            self._last = time.monotonic()
