"""A light curve as clients have it, in one answer: what its page draws, in numbers with their units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from catalog.json_classes import KeyOf
from catalog.models import Visitor
from curation.detections.epochs import Correction, Epoch, epochs_of_each
from curation.detections.light_curve import corrections_of
from curation.injected.rows import source_shown
from detection.models import Detection, Source, nanojanskys

MOST_EPOCHS, EPOCHS = 100_000, 1000
_READ = (
    "source", "is_injected", "candidate__flux", "candidate__flux_error", "observation__mjd_utc",
    "observation__filter_band", "observation__original_name", "observation__observation_id",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class EpochFacts:
    """A source in one frame, by the middle of its exposure: beyond the reference, signed.

    flux_adu : in counts of the frame, whose zero point stands beside it; without what was taken off, `baseline` of the
    light curve. limiting_flux_adu, limiting_mag : 5 sigma, where nothing was detected and the flux is below 3.
    flux_njy : only against an AB zero point. total_flux_adu : with the star that the reference holds there.
    is_forced : measured because the place is known, not because anything stood out. trouble : why it could not be.
    """

    observation: Annotated[UUID, KeyOf("observations")]
    detection: Annotated[UUID | None, KeyOf("detections")]
    mid_time: datetime
    mjd_utc: float
    band: str | None
    frame: str
    is_forced: bool
    flux_adu: float | None
    flux_error_adu: float | None
    snr: float | None
    limiting_flux_adu: float | None
    zero_point_mag: float | None
    zero_point_error: float | None
    zero_point_system: str | None
    flux_njy: float | None
    flux_error_njy: float | None
    mag: float | None
    mag_error: float | None
    limiting_mag: float | None
    total_flux_adu: float | None
    total_flux_error_adu: float | None
    total_mag: float | None
    total_mag_error: float | None
    reference_version: int | None
    trouble: str | None


@dataclass(frozen=True, kw_only=True)
class BaselineFacts:
    """What was taken off the fluxes of a band against one reference, which holds light of the source: at 25 mag."""

    band: str
    reference_version: int
    flux: float
    flux_error: float


@dataclass(frozen=True, kw_only=True)
class LightCurveFacts:
    """Every frame in which a source was detected or measured, in order of time.

    is_complete : whether all epochs are here; otherwise the latest are.
    """

    source: Annotated[UUID, KeyOf("sources")]
    designation: str | None
    ra_deg: float
    dec_deg: float
    is_complete: bool
    baselines: tuple[BaselineFacts, ...]
    epochs: tuple[EpochFacts, ...]


def light_curve_shown(user: Visitor, key: UUID, most: int) -> LightCurveFacts | None:
    """Return the light curve of a source, at most so many epochs, the latest; None for one that this person has not."""
    source, detections = source_shown(user, key) or (None, [])
    if source is None:
        source = Source.objects.visible_to(user).filter(pk=key).first()
        rows = Detection.objects.visible_to(user).filter(source=key).select_related("candidate", "observation")
        detections = list(rows.only(*_READ).order_by("-observation__mjd_utc", "-pk")[: most + 1])
    return None if source is None else _light_curve(source, detections, user, most)


def _light_curve(source: Source, detections: Sequence[Detection], user: Visitor, most: int) -> LightCurveFacts:
    [epochs] = epochs_of_each([(source, detections)], user, most + 1)
    return LightCurveFacts(
        source=source.pk,
        designation=source.name or None,
        ra_deg=source.ra,
        dec_deg=source.dec,
        is_complete=len(epochs) <= most,
        baselines=tuple(_baseline(one) for one in corrections_of(epochs)),
        epochs=tuple(_epoch(one) for one in epochs[-most:]),
    )


def _baseline(one: Correction) -> BaselineFacts:
    found = one.baseline
    return BaselineFacts(
        band=one.band, reference_version=one.version, flux=float(found.flux), flux_error=float(found.flux_error)
    )


def _epoch(epoch: Epoch) -> EpochFacts:
    point, detection = epoch.zero_point, epoch.detection
    zero_point_mag, system = (point.mag, point.system) if point else (None, "")
    return EpochFacts(
        observation=epoch.frame.pk,
        detection=detection.pk if detection else None,
        mid_time=epoch.frame.middle,
        mjd_utc=epoch.frame.mjd_utc,
        band=epoch.frame.band or None,
        frame=epoch.frame.name,
        is_forced=detection is None,
        flux_adu=epoch.flux,
        flux_error_adu=epoch.flux_error,
        snr=epoch.flux / epoch.flux_error if epoch.flux is not None and epoch.flux_error else None,
        limiting_flux_adu=epoch.limiting_flux,
        zero_point_mag=zero_point_mag,
        zero_point_error=point.error if point else None,
        zero_point_system=system if point else None,
        flux_njy=nanojanskys(epoch.flux, zero_point_mag, system),
        flux_error_njy=nanojanskys(epoch.flux_error, zero_point_mag, system),
        mag=epoch.mag,
        mag_error=epoch.mag_error,
        limiting_mag=epoch.limiting_mag,
        total_flux_adu=epoch.total_flux,
        total_flux_error_adu=epoch.total_flux_error,
        total_mag=epoch.total_mag,
        total_mag_error=epoch.total_mag_error,
        reference_version=epoch.reference_version,
        trouble=epoch.trouble or None,
    )
