"""What a packet says, in frozen classes: the records of `curation/schemas`, with Avro's names in Python's spelling.

What is not known is None. Fluxes and magnitudes are of the light beyond the reference; positions are ICRS degrees.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated
from uuid import UUID

from catalog.json_classes import KeyOf

# The schema that packets are written with: `curation/schemas/astrid.alert.v1_0.avsc`.
SCHEMA_VERSION = "1.0"


@dataclass(frozen=True, kw_only=True)
class Moment:
    """The middle of an exposure, in the scales that streams of alerts use."""

    midpoint_utc: datetime
    midpoint_mjd_utc: float
    midpoint_mjd_tai: float


@dataclass(frozen=True, kw_only=True)
class Light:
    """A flux in its own unit, in nJy where an AB zero point allows it, and as a magnitude where light was added."""

    flux: float | None
    flux_err: float | None
    flux_unit: str | None
    snr: float | None
    zero_point_mag: float | None
    zero_point_err: float | None
    zero_point_system: str | None
    zero_point_catalogue: str | None
    psf_flux: float | None
    psf_flux_err: float | None
    mag: float | None
    mag_err: float | None
    mag_system: str | None


@dataclass(frozen=True, kw_only=True)
class SeenFacts(Moment, Light):
    """A detection: this one, or another one of its source."""

    detection_uuid: Annotated[UUID, KeyOf("detections")]
    observation_uuid: Annotated[UUID, KeyOf("observations")]
    frame: str | None
    survey: str
    telescope: str | None
    camera: str | None
    night: str
    jd: float | None
    exptime: float | None
    band: str | None
    ra: float
    dec: float
    position_err_arcsec: float | None
    x: float
    y: float
    is_positive: bool | None
    significance: float | None
    score: float | None
    model_name: str | None
    model_version: str | None
    flags: tuple[str, ...]
    fwhm_px: float | None
    ellipticity: float | None
    trail_length_arcsec: float | None
    psf_fwhm_px: float | None
    pixel_scale_arcsec: float | None
    limiting_mag: float | None
    reference_version: int | None
    origin: str


@dataclass(frozen=True, kw_only=True)
class ForcedFacts(Moment, Light):
    """Forced photometry at the place of the source, or where the moving object should have been."""

    forced_uuid: Annotated[UUID, KeyOf("forced-photometry")]
    observation_uuid: Annotated[UUID, KeyOf("observations")]
    bjd_tdb: float
    band: str | None
    ra: float
    dec: float
    limiting_flux: float | None
    limiting_mag: float | None
    reason: str | None
    reference_version: int


@dataclass(frozen=True, kw_only=True)
class ObjectFacts:
    """The astronomical object; `position_err_arcsec` is 1 sigma in each axis."""

    source_uuid: Annotated[UUID | None, KeyOf("sources")]
    designation: str | None
    ra: float
    dec: float
    position_err_arcsec: float | None
    wcs_quality: str | None
    first_detected_utc: datetime | None
    epochs: int | None
    nights: int | None


@dataclass(frozen=True, kw_only=True)
class PlaceFacts(Moment):
    """Where a moving object was seen."""

    ra: float
    dec: float
    observation_uuid: Annotated[UUID, KeyOf("observations")]


@dataclass(frozen=True, kw_only=True)
class MotionFacts:
    """How it moves: the motion's direction is from north by east."""

    tracklet_uuid: Annotated[UUID | None, KeyOf("tracklets")]
    rate_arcsec_per_min: float
    position_angle_deg: float | None
    position_count: int | None
    rms_arcsec: float | None
    chance_rate: float | None
    positions: tuple[PlaceFacts, ...]


@dataclass(frozen=True, kw_only=True)
class HistoryFacts:
    """How much of the history the packet holds: what was known when it was published, and how much was left out."""

    known_until_utc: datetime
    days: float
    most_detections: int
    most_forced: int
    detections_left_out: int
    forced_left_out: int
    is_cut_off: bool


@dataclass(frozen=True, kw_only=True)
class NearFacts:
    """A source of a catalogue near the detection, where it stood then."""

    kind: str
    catalogue: str
    name: str | None
    type_name: str | None
    ra: float
    dec: float
    mag: float | None
    band: str | None
    separation_arcsec: float
    redshift: float | None


@dataclass(frozen=True, kw_only=True)
class BodyFacts:
    """A body of the Solar System near the detection at its time, by a known orbit."""

    designation: str
    is_comet: bool
    separation_arcsec: float
    sigmas: float
    predicted_mag: float | None
    rate_arcsec_per_min: float


@dataclass(frozen=True, kw_only=True)
class ContextFacts:
    """What lies around, as far as catalogues and orbits are loaded; verdict: what the orbits say of the detection."""

    verdict: str
    sentence: str
    orbits_utc: datetime | None
    bodies: tuple[BodyFacts, ...]
    catalogued: tuple[NearFacts, ...]


@dataclass(frozen=True, kw_only=True)
class JudgedFacts:
    """One person's standing answer about one detection."""

    detection_uuid: Annotated[UUID | None, KeyOf("detections")]
    user: str | None
    is_real: bool | None
    confidence_level: str | None
    label: str | None


@dataclass(frozen=True, kw_only=True)
class ClassificationFacts:
    """What it is taken for; basis: human or automatic."""

    label: str | None
    detection_type: str | None
    basis: str | None
    judged_by: tuple[JudgedFacts, ...]


@dataclass(frozen=True, kw_only=True)
class CiteFacts:
    """An earlier alert that this one supersedes or retracts; cite: in VOEvent's words."""

    cite: str
    alert_id: int
    alert_uuid: Annotated[UUID, KeyOf("alerts")]
    ivorn: str
    published_utc: datetime


@dataclass(frozen=True, kw_only=True)
class LinkFacts:
    """Where more is, at the site's own address."""

    page: str
    rest: str
    packet: str


@dataclass(frozen=True, kw_only=True)
class CutoutFacts:
    """An image around the detection: a gzipped FITS file."""

    file_name: str
    stamp_data: bytes


@dataclass(frozen=True, kw_only=True)
class PacketFacts:
    """Everything that is handed out of one publication."""

    schema_version: str
    publisher: str
    alert_id: int
    alert_uuid: Annotated[UUID, KeyOf("alerts")]
    publication_uuid: Annotated[UUID, KeyOf("publications")]
    sequence: int
    version: int
    kind: str
    role: str
    priority: str
    ivorn: str
    published_utc: datetime
    written_utc: datetime
    title: str
    message: str
    reasons: tuple[str, ...]
    cites: tuple[CiteFacts, ...]
    links: LinkFacts | None
    source: ObjectFacts
    detection: SeenFacts
    motion: MotionFacts | None
    prv_detections: tuple[SeenFacts, ...]
    prv_forced: tuple[ForcedFacts, ...]
    history: HistoryFacts
    context: ContextFacts | None
    classification: ClassificationFacts
    cutout_science: CutoutFacts | None
    cutout_template: CutoutFacts | None
    cutout_difference: CutoutFacts | None


Record = Mapping[str, object]


def part_of(packet: Record, name: str) -> Record:
    """Return a record within a packet's. Raises TypeError where there is none."""
    found = packet[name]
    if not isinstance(found, Mapping):
        raise TypeError(f"{name} is no record")
    return found


def as_record(facts: object) -> dict[str, object]:
    """Return an object of these classes as Avro and JSON hold it, under Avro's names."""
    if not dataclasses.is_dataclass(facts):
        raise TypeError(facts)
    return {spelled(entry.name): _value(getattr(facts, entry.name)) for entry in dataclasses.fields(facts)}


def spelled(name: str) -> str:
    """Return a name of Python as Avro has it: `psf_flux_err` is `psfFluxErr`."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _value(value: object) -> object:
    if dataclasses.is_dataclass(value):
        return as_record(value)
    if isinstance(value, tuple):
        return [_value(entry) for entry in value]
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, UUID) else value
