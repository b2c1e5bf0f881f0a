"""The rows that another survey's alerts become; their keys follow from the survey's own numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from django.utils import timezone

from catalog.json_classes import as_json
from catalog.models import RunStatus
from detection.cutouts.pictures import path_of
from detection.imported.told import TOLD, Told
from detection.models import CandidateScore, Detection, DetectionOrigin, Model, ModelRun, Source
from detection.numerics.packets.packet import Exposure, Measured, Packet
from differencing.models import IMPORTED, Candidate, CandidateStatus, DifferenceRun
from observations.models import Observation, ObservationStatus, Survey, Telescope, WcsQuality
from observations.numerics.site import night_of, time_of
from preprocessing.models import PreprocessRun

_KEYS = UUID("6f1d6c0e-6d0f-5a1c-9d53-8d9e0c5c8f11")
# Where an alert says nothing of its position's error, until it is derived from its detections.
_UNKNOWN_ARCSEC = 1.0
_OF_MEASURED = (
    "ra", "dec", "pixel_x", "pixel_y", "flux", "flux_error", "significance", "snr", "position_error_px",
    "ellipticity", "masked_share", "is_saturated", "is_edge", "is_negative", "is_dipole",
)  # fmt: skip


@dataclass(frozen=True)
class SurveyFacts:
    """What is known of a survey beside its alerts: its telescope, and how wide a star usually is."""

    description: str
    url: str
    telescope: str
    latitude_deg: float
    longitude_deg: float
    height_m: float
    mpc_code: str
    time_zone: str
    pixel_scale_arcsec: float
    usual_fwhm_px: float


SURVEYS: Mapping[str, SurveyFacts] = {
    # The width is the median over 154 packets.
    "ZTF": SurveyFacts(
        "Zwicky Transient Facility", "https://www.ztf.caltech.edu", "Palomar 48-inch Samuel Oschin",
        33.3573, -116.8597, 1712.0, "I41", "America/Los_Angeles", 1.01, 2.5,
    ),
    # The width is the median over 19 packets.
    "LSST": SurveyFacts(
        "Legacy Survey of Space and Time", "https://rubinobservatory.org", "Simonyi Survey Telescope",
        -30.2446, -70.7494, 2647.0, "X05", "America/Santiago", 0.2, 5.7,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Scored:
    """A packet with what our model says of it, and how wide a star was taken to be: by packet, pixels or survey.

    said : more than the score, by the names of `CandidateScore`.
    """

    packet: Packet
    score: float
    anomaly: float | None
    said: Mapping[str, float | bytes]
    fwhm_px: float
    fwhm_from: str


def observation_key(packet: Packet) -> UUID:
    """Return the key of a packet's exposure."""
    return uuid5(_KEYS, f"{packet.survey} exposure {packet.exposure.name}")


def candidate_key(packet: Packet) -> UUID:
    """Return the key of what a packet tells about."""
    return uuid5(_KEYS, f"{packet.survey} candidate {packet.key}")


def detection_key(packet: Packet) -> UUID:
    """Return the key of what people review of a packet."""
    return uuid5(_KEYS, f"{packet.survey} detection {packet.key}")


def source_key(packet: Packet) -> UUID | None:
    """Return the key of the object that a packet belongs to; None where the survey names none."""
    return uuid5(_KEYS, f"{packet.survey} object {packet.object_name}") if packet.object_name else None


def write_exposures(packets: Sequence[Packet]) -> dict[UUID, Observation]:
    """Return the exposures of packets by their keys, those that are new with their runs."""
    first = {observation_key(packet): packet for packet in reversed(packets)}
    known = Observation.objects.select_related("survey").in_bulk(first)
    surveys = {name: _survey(name) for name in sorted({packet.survey for packet in packets})}
    new = [_observation(key, one, *surveys[one.survey]) for key, one in first.items() if key not in known]
    Observation.objects.bulk_create(new)
    PreprocessRun.objects.bulk_create(_preprocessing(row, first[row.pk].exposure) for row in new)
    DifferenceRun.objects.bulk_create(_difference(row, first[row.pk]) for row in new)
    return known | {row.pk: row for row in new}


def write_detections(scored: Sequence[Scored], observations: Mapping[UUID, Observation], model: Model) -> set[UUID]:
    """Write candidates, scores and detections; return the keys of the sources that they belong to.

    The caller lets no other import write at the same time.
    """
    _write_sources([one.packet for one in scored], observations)
    runs = {run.observation_id: run for run in _differences(observations)}
    inferences = _inferences(observations.values(), model)
    candidates = [_candidate(one.packet, runs[observation_key(one.packet)]) for one in scored]
    Candidate.objects.bulk_create(candidates)
    of_model = {"model": model, "weights_sha256": model.weights_sha256}
    CandidateScore.objects.bulk_create(
        CandidateScore(
            candidate=row, model_run=inferences[row.observation_id], **one.said, **of_model
        )
        for row, one in zip(candidates, scored, strict=True)
    )  # fmt: skip
    Detection.objects.bulk_create(
        _detection(row, one, inferences[row.observation_id])
        for row, one in zip(candidates, scored, strict=True)
    )  # fmt: skip
    for row in candidates:
        run, inference = runs[row.observation_id], inferences[row.observation_id]
        run.candidates_found = (run.candidates_found or 0) + 1
        inference.total_predictions = (inference.total_predictions or 0) + 1
    DifferenceRun.objects.bulk_update(runs.values(), ["candidates_found"])
    ModelRun.objects.bulk_update(inferences.values(), ["total_predictions"])
    return {key for one in scored if (key := source_key(one.packet)) is not None}


def _survey(name: str) -> tuple[Survey, Telescope]:
    facts = SURVEYS[name]
    survey, _ = Survey.objects.get_or_create(
        name=name, defaults={"description": facts.description, "base_url": facts.url}
    )
    place = {key: getattr(facts, key) for key in ("latitude_deg", "longitude_deg", "height_m", "mpc_code", "time_zone")}
    telescope, _ = Telescope.objects.get_or_create(name=facts.telescope, defaults=place)
    return survey, telescope


def _observation(key: UUID, packet: Packet, survey: Survey, telescope: Telescope) -> Observation:
    exposure, facts = packet.exposure, SURVEYS[packet.survey]
    start = time_of(exposure.mjd_utc if exposure.start_mjd_utc is None else exposure.start_mjd_utc)
    return Observation(
        id=key,
        survey=survey,
        observation_id=exposure.name,
        ra=packet.measured.ra,
        dec=packet.measured.dec,
        observation_time=start,
        mjd_utc=exposure.mjd_utc,
        night=night_of(start, facts.longitude_deg),
        filter_band=exposure.band,
        exposure_time=exposure.exposure_s,
        pixel_scale=facts.pixel_scale_arcsec,
        seeing=None if exposure.fwhm_px is None else exposure.fwhm_px * facts.pixel_scale_arcsec,
        status=ObservationStatus.IMPORTED,
        wcs_quality=WcsQuality.HEADER,
        delivered_wcs_quality=WcsQuality.HEADER,
        telescope=telescope,
        facts=_origins(packet),
    )


def _origins(packet: Packet) -> dict[str, dict[str, str]]:
    """Return where the facts of an exposure come from, as of a frame's header."""
    source = f"alert {packet.key}"
    told = {
        "centre": "Of the first alert that was imported: where the frame's middle is, alerts do not tell.",
        **packet.exposure.notes,
    }
    return {fact: {"source": source, "written": "", "note": note} for fact, note in told.items()}


def _preprocessing(row: Observation, exposure: Exposure) -> PreprocessRun:
    """Return what the survey measured of the exposure: zero point, limit and width of a star."""
    has_zero_point = exposure.zero_point_mag is not None
    return PreprocessRun(
        observation=row,
        **_completed(),
        fwhm_px=exposure.fwhm_px,
        limiting_magnitude=exposure.limiting_mag,
        zero_point_mag=exposure.zero_point_mag,
        zero_point_error=exposure.zero_point_error,
        zero_point_catalogue=row.survey.name if has_zero_point else "",
        zero_point_band=exposure.band if has_zero_point else "",
        zero_point_system="AB" if has_zero_point else "",
        inputs_hash=IMPORTED,
    )


def _difference(row: Observation, packet: Packet) -> DifferenceRun:
    parameters = {"survey": packet.survey, "flux_unit": packet.flux_unit}
    return DifferenceRun(observation=row, **_completed(), algorithm=IMPORTED, parameters=parameters, candidates_found=0)


def _completed() -> dict[str, object]:
    now = timezone.now()
    return {"status": RunStatus.COMPLETED, "started_at": now, "completed_at": now}


def _differences(observations: Iterable[UUID]) -> list[DifferenceRun]:
    return list(DifferenceRun.objects.filter(observation__in=list(observations), algorithm=IMPORTED))


def _inferences(observations: Iterable[Observation], model: Model) -> dict[UUID, ModelRun]:
    """Return the run of a model over the alerts of each exposure, new where there is none."""
    frames = list(observations)
    mine = {"model": model, "input_image_path": ""}
    known = {run.observation_id: run for run in ModelRun.objects.filter(observation__in=frames, **mine)}
    new = [
        ModelRun(observation=row, **mine, **_completed(), total_predictions=0) for row in frames if row.pk not in known
    ]
    ModelRun.objects.bulk_create(new)
    return known | {run.observation_id: run for run in new}


def _write_sources(packets: Sequence[Packet], observations: Mapping[UUID, Observation]) -> None:
    """Write the objects that are new, each with the place of its first packet until it is derived from all."""
    named = ((source_key(one), one) for one in reversed(packets))
    first = {key: one for key, one in named if key is not None}
    known = set(Source.objects.filter(pk__in=first).values_list("pk", flat=True))
    Source.objects.bulk_create(
        Source(
            id=key,
            name=one.object_name,
            ra=one.measured.ra,
            dec=one.measured.dec,
            position_error_arcsec=_UNKNOWN_ARCSEC,
            wcs_quality=observations[observation_key(one)].wcs_quality,
        )
        for key, one in first.items()
        if key not in known
    )


def _candidate(packet: Packet, run: DifferenceRun) -> Candidate:
    measured: Measured = packet.measured
    return Candidate(
        id=candidate_key(packet),
        difference_run=run,
        observation_id=run.observation_id,
        is_imported=True,
        status=CandidateStatus.DETECTED,
        fwhm=measured.fwhm_px,
        **{name: getattr(measured, name) for name in _OF_MEASURED},
    )


def _detection(candidate: Candidate, one: Scored, run: ModelRun) -> Detection:
    packet = one.packet
    told = Told(
        survey=packet.survey,
        alert=packet.key,
        object_name=packet.object_name or None,
        scores=packet.scores,
        mag=packet.measured.mag,
        mag_error=packet.measured.mag_error,
        flux_unit=packet.flux_unit,
        known_body=packet.known_body or None,
        earlier_detections=packet.earlier_detections,
        earlier_undetected=packet.earlier_undetected,
        is_turned=packet.is_turned,
        star_fwhm_px=one.fwhm_px,
        star_fwhm_from=one.fwhm_from,
        schema=packet.schema or None,
        publisher=packet.publisher or None,
    )
    return Detection(
        id=detection_key(packet),
        candidate=candidate,
        observation_id=candidate.observation_id,
        model_run=run,
        source_id=source_key(packet),
        origin=DetectionOrigin.IMPORTED,
        confidence_score=one.score,
        anomaly=one.anomaly,
        model_version=f"{run.model.name} {run.model.version}",
        prediction_metadata={"weights_sha256": run.model.weights_sha256, TOLD: as_json(told)},
        cutouts_path=path_of(candidate.observation_id, candidate.pk),
        **{name: getattr(candidate, name) for name in ("ra", "dec", "pixel_x", "pixel_y")},
    )
