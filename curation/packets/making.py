"""What a packet says of one publication, gathered from what was told and what is known of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TypeVar

from django.utils import timezone

from catalog.json_classes import read_as
from curation.alerts.facts import AlertFacts, RetractedFacts
from curation.models import AlertPublication, AlertType
from curation.packets.addresses import ivorn_of, links_of
from curation.packets.around import context_of
from curation.packets.cutouts import cutouts_of
from curation.packets.facts import (
    SCHEMA_VERSION,
    CiteFacts,
    ClassificationFacts,
    JudgedFacts,
    ObjectFacts,
    PacketFacts,
    SeenFacts,
)
from curation.packets.history import LONG, RELATED, Then, history_of, motion_of, tracklet_of
from curation.packets.measures import COUNTS, middle_of, njy, runs_of, seen_of
from detection.models import Detection
from observations.models import Survey
from observations.numerics.simulate.names import TELESCOPE
from preprocessing.models import PreprocessRun

Value = TypeVar("Value", int, float)
PUBLISHER = "AstrID"
ROLE_OBSERVATION, ROLE_TEST = "observation", "test"
# How VOEvents say what an alert does to one before it.
_CITES = {AlertType.UPDATE.value: "supersedes", AlertType.RETRACTION.value: "retraction"}


def facts_of(publication: AlertPublication) -> PacketFacts:
    """Return the packet of a publication: what was told, and what was known when it was published."""
    told = _told(publication)
    alert = publication.alert
    detection = Detection.objects.select_related(*RELATED).defer(*LONG).get(pk=alert.detection_id)
    closed = Survey.objects.closed_beside(detection.observation.survey_id)
    then = Then(detection, publication.published_at, tracklet_of(detection, publication.published_at), closed)
    run = runs_of([detection.observation_id], then.known_until).get(detection.observation_id)
    history, cutouts = history_of(then, told), cutouts_of(detection, alert.number)
    return PacketFacts(
        schema_version=SCHEMA_VERSION,
        publisher=PUBLISHER,
        alert_id=alert.number,
        alert_uuid=alert.pk,
        publication_uuid=publication.pk,
        sequence=publication.sequence,
        version=publication.version,
        kind=publication.kind,
        role=_role(detection),
        priority=_text(publication, "priority", alert.priority),
        ivorn=ivorn_of(alert.number),
        published_utc=publication.published_at,
        written_utc=timezone.now(),
        title=_text(publication, "title", alert.title),
        message=_text(publication, "message", alert.message),
        reasons=told.reasons,
        cites=_cites(publication, told),
        links=links_of(alert.pk),
        source=_source(detection, told),
        detection=_as_told(seen_of(detection, run), told, run),
        motion=motion_of(then, told),
        prv_detections=history.detections,
        prv_forced=history.forced,
        history=history.facts,
        context=context_of(detection),
        classification=_classification(told),
        cutout_science=cutouts.get("science"),
        cutout_template=cutouts.get("reference"),
        cutout_difference=cutouts.get("difference"),
    )


def _told(publication: AlertPublication) -> RetractedFacts:
    """Return what was published, whichever version wrote it: what it does not say is None."""
    stored = publication.payload
    return read_as(RetractedFacts, stored.get("metadata") if isinstance(stored, Mapping) else None)


def _text(publication: AlertPublication, name: str, now: str) -> str:
    """Return a text as it was published; as it stands now where an unreadable payload does not say."""
    stored = publication.payload
    told = stored.get(name) if isinstance(stored, Mapping) else None
    return told if isinstance(told, str) else now


def _role(detection: Detection) -> str:
    telescope = detection.observation.telescope
    return ROLE_TEST if telescope is not None and telescope.name == TELESCOPE else ROLE_OBSERVATION


def _source(detection: Detection, told: AlertFacts) -> ObjectFacts:
    """Return the object as it was told; what was told by a former version without a place is where it was seen."""
    is_placed = told.ra_deg is not None and told.dec_deg is not None
    return ObjectFacts(
        source_uuid=told.source or detection.source_id,
        designation=told.designation,
        ra=told.ra_deg if told.ra_deg is not None and is_placed else detection.ra,
        dec=told.dec_deg if told.dec_deg is not None and is_placed else detection.dec,
        position_err_arcsec=told.position_error_arcsec,
        wcs_quality=(told.wcs_quality or detection.observation.wcs_quality),
        first_detected_utc=told.first_detected_at,
        epochs=told.epochs,
        nights=told.nights,
    )


def _as_told(seen: SeenFacts, told: AlertFacts, run: PreprocessRun | None) -> SeenFacts:
    """Return the detection with the numbers that were told of it, where they were: a frame may be done again since."""
    name, _, version = (told.model or "").rpartition(" ")
    is_other_model = bool(told.model) and told.model != f"{seen.model_name} {seen.model_version}"
    as_told = dataclasses.replace(
        seen,
        frame=told.frame or seen.frame,
        band=told.band or seen.band,
        exptime=_known(told.exposure_s, seen.exptime),
        snr=_known(told.snr, seen.snr),
        is_positive=seen.is_positive if told.is_negative is None else not told.is_negative,
        score=_known(told.score, seen.score),
        model_name=(name or version) if is_other_model else seen.model_name,
        model_version=(version if name else None) if is_other_model else seen.model_version,
        reference_version=_known(told.reference_version, seen.reference_version),
        **middle_of(seen.midpoint_mjd_utc if told.mjd_utc is None else told.mjd_utc),
    )
    if told.mag is not None:
        as_told = dataclasses.replace(as_told, mag=told.mag, mag_err=told.mag_error, mag_system=told.mag_system)
    if told.flux_adu is None:
        return as_told
    return dataclasses.replace(
        as_told,
        flux=told.flux_adu,
        flux_err=told.flux_error_adu,
        flux_unit=COUNTS,
        psf_flux=njy(told.flux_adu, run),
        psf_flux_err=njy(told.flux_error_adu, run),
    )


def _known(told: Value | None, now: Value | None) -> Value | None:
    return now if told is None else told


def _classification(told: AlertFacts) -> ClassificationFacts:
    return ClassificationFacts(
        label=told.label,
        detection_type=told.detection_type.value if told.detection_type else None,
        basis=told.basis.value or None if told.basis else None,
        judged_by=tuple(
            JudgedFacts(
                detection_uuid=entry.detection,
                user=entry.user,
                is_real=entry.is_valid,
                confidence_level=entry.confidence_level.value if entry.confidence_level else None,
                label=entry.label,
            )
            for entry in told.judged_by
        ),
    )


def _cites(publication: AlertPublication, told: RetractedFacts) -> tuple[CiteFacts, ...]:
    """Return what this supersedes or takes back: the first alert about the source since it was last taken back, and the
    one that stood."""
    how = _CITES.get(publication.kind)
    if how is None:
        return ()
    about = AlertPublication.objects.filter(
        alert__detection__source=publication.alert.detection.source_id, sequence__lt=publication.sequence
    )
    stood = about.filter(alert__in=[key for key in (told.retracts, told.updates) if key is not None]).last()
    first = about.filter(kind=AlertType.NEW).last()
    rows = {row.pk: row for row in (first, stood or about.last()) if row is not None}
    cited = AlertPublication.objects.filter(pk__in=rows).select_related("alert", "packet").order_by("sequence")
    return tuple(_cite(row, how) for row in cited)


def _cite(row: AlertPublication, how: str) -> CiteFacts:
    packet = getattr(row, "packet", None)
    return CiteFacts(
        cite=how,
        alert_id=row.alert.number,
        alert_uuid=row.alert_id,
        # By the name that it went out with: the site may have moved since.
        ivorn=packet.ivorn if packet is not None else ivorn_of(row.alert.number),
        published_utc=row.published_at,
    )
