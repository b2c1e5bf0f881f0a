"""A source with a history, cutouts, a judgement and an alert, as tests of packets look at it."""

from __future__ import annotations

import io
from typing import Any

import fastavro

from curation.alerts.publishing import publish_pending
from curation.models import AlertPublication
from curation.packets.keeping import content_of, packet_of
from detection.models import Detection
from tests.curation import cutouts
from tests.curation.looks import AB, consider, judge, measured, seen
from tests.factories import PreprocessRunFactory, SourceFactory, TelescopeFactory

# The frames' zero point, against a catalogue of AB magnitudes.
CALIBRATED = {**AB, "zero_point_catalogue": "Pan-STARRS DR2", "zero_point_band": "r", "fwhm_px": 3.1, "limiting_magnitude": 20.5}


def alerted(*, telescope: str = "T1", **more: Any) -> Detection:
    """Return the later of two detections of a source that was measured in between, published with what people said."""
    source = SourceFactory(name="AT 2024abc", position_error_arcsec=0.3)
    first = seen(source, days=-3.0, telescope=TelescopeFactory(name=f"{telescope} before"))
    measured(source, -2.0, **AB)
    measured(source, -1.0, flux=900.0, **AB)
    row = seen(source, telescope=TelescopeFactory(name=telescope), pixel_scale=1.2, **more)
    for each in (first, row):
        PreprocessRunFactory(observation=each.observation, **CALIBRATED)
    cutouts.store(row, cutouts.cutouts())
    judge(row, True, "high", label="supernova_candidate")
    consider(source)
    publish_pending()
    return row


def published(row: Detection) -> AlertPublication:
    """Return what was published last about a detection's source."""
    return AlertPublication.objects.filter(alert__detection__source=row.source_id).latest("sequence")


def avro_of(publication: AlertPublication) -> bytes:
    """Return the file of a publication's packet."""
    return content_of(packet_of(publication))


def plainly_read(content: bytes) -> dict[str, Any]:
    """Return the one record of a container as fastavro reads it, which knows nothing of us."""
    [record] = fastavro.reader(io.BytesIO(content))
    return record
