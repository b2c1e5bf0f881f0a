"""The packets that were handed out: each is written once, as a file, and never again."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Iterator

from django.db import connection, transaction
from django.db.models import QuerySet, Subquery
from django.utils import timezone

from catalog.failures import NotPossible
from catalog.files import storage
from curation.models import AlertPacket, AlertPublication
from curation.packets.avro import encode
from curation.packets.facts import SCHEMA_VERSION
from curation.packets.making import facts_of

# So long a turn goes on, less than the beat's five: what is left is the next one's.
_AT_MOST_SECONDS = 4.0
_LOCK = 7402
_AT_ONCE = 50
# How far back packets are written unasked; more than so many publications are not looked through for it.
_LATE, _LATEST = dt.timedelta(days=7), 20_000
_WITH = ("alert__detection__observation", "packet")
_LONG = ("alert__detection__observation__header", "alert__detection__observation__facts", "alert__alert_metadata")


class PacketLost(NotPossible):
    """The file of a packet is gone, or is not what was handed out: another one is never made in its place."""


def take_turn() -> int:
    """Do a turn of `write_pending`; 0 where another process is at it, so that threads are left for the publisher."""
    with connection.cursor() as cursor:
        # Of the session, and none of a transaction: no transaction stands open while packets are made.
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return 0
        try:
            return write_pending()
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def write_pending() -> int:
    """Write the packets of late publications that have none, in the order of the feed, for seconds; return how many.

    Older ones, of earlier versions, get theirs when somebody asks for it: years of them would fill the disk.
    """
    written, until = 0, time.monotonic() + _AT_MOST_SECONDS
    newest = AlertPublication.objects.order_by("-sequence").values("sequence")[:1]
    late = _published().filter(
        sequence__gt=Subquery(newest) - _LATEST, published_at__gte=timezone.now() - _LATE, packet=None
    )
    while time.monotonic() < until:
        rows = list(late.order_by("sequence")[:_AT_ONCE])
        if not rows:
            break
        for row in rows:
            _write(row)
            written += 1
            if time.monotonic() >= until:
                break
    return written


def packet_of(publication: AlertPublication) -> AlertPacket:
    """Return the packet of a publication; it is written now where it was not yet.

    Those before it about the same source are written first: it cites them.
    """
    for row in _up_to(publication):
        packet = _write(row)
    return packet


def content_of(packet: AlertPacket) -> bytes:
    """Return a packet's file. Raises PacketLost where it is gone or was changed."""
    try:
        content = storage.open_stored(packet.file_path).read_bytes()
    except (FileNotFoundError, storage.OutsideStorage) as error:
        raise PacketLost(f"The file of this packet is gone: restore {packet.file_path} in the data root.") from error
    if hashlib.sha256(content).hexdigest() != packet.sha256:
        raise PacketLost(f"The file of this packet was changed: restore {packet.file_path} in the data root.")
    return content


def _published() -> QuerySet[AlertPublication]:
    return AlertPublication.objects.select_related(*_WITH).defer(*_LONG)


def _up_to(publication: AlertPublication) -> Iterator[AlertPublication]:
    """Yield what was published about a source without a packet, in order, and at last the publication itself."""
    source = publication.alert.detection.source_id
    if source is not None:
        yield from (
            _published()
            .filter(alert__detection__source=source, sequence__lt=publication.sequence, packet=None)
            .order_by("sequence")
        )
    yield _published().get(pk=publication.pk)


def _write(publication: AlertPublication) -> AlertPacket:
    """Write a packet unless there is one; of two at a time the row of the first counts, and its file."""
    there: AlertPacket | None = getattr(publication, "packet", None)
    if there is not None:
        return there
    facts = facts_of(publication)
    container = encode(facts)
    digest = hashlib.sha256(container.content).hexdigest()
    night = publication.alert.detection.observation.night
    # Named by its content: who writes it a second time overwrites nothing.
    path = f"packets/{night:%Y-%m-%d}/{facts.alert_id}_{digest[:12]}.avro"
    storage.write_atomically(path, container.content)
    with transaction.atomic():
        packet, is_first = AlertPacket.objects.get_or_create(
            publication=publication,
            defaults={
                "night": night,
                "schema_version": SCHEMA_VERSION,
                "file_path": path,
                "size_bytes": len(container.content),
                "header_bytes": container.header_bytes,
                "sha256": digest,
                "ivorn": facts.ivorn,
            },
        )
    if not is_first and packet.file_path != path:
        storage.remove(path)
    return packet
