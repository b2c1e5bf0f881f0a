"""Fetch one file of an archive and take it in; its product says what became of it."""

from __future__ import annotations

from urllib.parse import urlsplit

from catalog.configuration.values import Snapshot, snapshot
from catalog.failures import FailureCode, StageFailure
from catalog.files.addresses import AddressRefused
from catalog.files.outgoing import DownloadFailed
from catalog.work import jobs
from observations.archives import courtesy, sia2
from observations.archives.door import authorization, door_of
from observations.archives.found import DATALINK, ListRefused
from observations.archives.products import note_failed, note_taken, put_back
from observations.delivery import stage as delivery
from observations.models import ArchiveProduct, IncomingFile

_GONE = (404, 410)


def run(incoming_id: str) -> None:
    """Fetch the file in its server's turn, from where the last try was cut, and take in its images.

    Raises StageFailure with the reason where it did not come, or nothing of it can be used.
    """
    config = snapshot()
    row = IncomingFile.objects.get(pk=incoming_id)
    product = ArchiveProduct.objects.select_related("archive__survey").filter(incoming=row).first()
    if product is None:
        raise StageFailure(FailureCode.CANCELLED, f"{row.name} is no file of an archive any more.")
    if not row.stored_path:
        _fetch(product, row, config)
    delivery.take_in(row, config, lambda results: note_taken(product, results))


def abandon(incoming_id: str, code: FailureCode, sentence: str) -> None:
    """Say when it is tried again, and keep what came for that; or that it is given up."""
    row = IncomingFile.objects.filter(pk=incoming_id).first()
    if row is None or code in jobs.WAITS_OUT:
        return
    if not note_failed(row, code, sentence):
        delivery.abandon(incoming_id, code, sentence)


class _Turns:
    """Whose turn it is: each server's on the way to a file, which redirects may lead over several."""

    def __init__(self) -> None:
        self.host = ""

    def __call__(self, url: str) -> None:
        """Wait until the server of an address may be asked. Raises HostRests while it rests."""
        self.answered()
        self.host = courtesy.host_of(url)
        courtesy.wait_for_turn(self.host)

    def answered(self) -> None:
        """Put down that the last one has answered."""
        if self.host:
            courtesy.note_answer(self.host)


def _fetch(product: ArchiveProduct, row: IncomingFile, config: Snapshot) -> None:
    turns = _Turns()
    try:
        url = _address(product)
        delivery.fetch(row, config, url, authorization(product.archive, url), turns)
    except AddressRefused as refusal:
        raise StageFailure(FailureCode.ADDRESS_REFUSED, str(refusal)) from refusal
    except ListRefused as refusal:
        raise StageFailure(FailureCode.DOWNLOAD_FAILED, str(refusal)) from refusal
    except DownloadFailed as failure:
        # Of the links that lead to the file: their server was noted by their own door.
        raise _failed(product, failure) from failure
    except StageFailure as failure:
        cause = failure.__cause__
        if not isinstance(cause, DownloadFailed):
            raise
        if not isinstance(cause, courtesy.HostRests):
            courtesy.note_failure(turns.host, cause)
        raise _failed(product, cause) from cause
    turns.answered()


def _failed(product: ArchiveProduct, failure: DownloadFailed) -> StageFailure:
    """Return what is told of a file that did not come; one whose server rests was not tried."""
    if isinstance(failure, courtesy.HostRests):
        with jobs.writing():
            put_back(product, failure.retry_after_s or 0.0, str(failure))
    return _told(failure)


def _address(product: ArchiveProduct) -> str:
    """Return where the file itself lies: the links of DataLink are followed to it."""
    if DATALINK not in product.access_format.casefold().replace(" ", ""):
        return product.access_url
    url = sia2.follow(product.access_url, door_of(product.archive))
    return url if urlsplit(url).scheme else product.access_url


def _told(failure: DownloadFailed) -> StageFailure:
    if failure.status in _GONE:
        return StageFailure(FailureCode.FILE_GONE, str(failure))
    code = FailureCode.NETWORK_FAULT if failure.is_transient else FailureCode.DOWNLOAD_FAILED
    return StageFailure(code, str(failure), retry_after_s=failure.retry_after_s)
