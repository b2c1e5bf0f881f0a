"""What would be reported of sources that stay in their place, to the Transient Name Server, and what forbids it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from catalog.hiding import hidden_from
from catalog.models import Visitor
from curation.alerts.facts import not_detected_before
from curation.judgements import unmarked, visibility
from curation.models import ReportService
from curation.numerics.at_report import OTHER_TYPE, POSSIBLE_SUPERNOVA, UNITS, AtPhotometry, AtReport
from curation.reports.duplicates import SAME_OBJECT_ARCSEC
from curation.reports.facts import Draft, Finding, Notes, RowDraft
from curation.reports.frames import Frames, frames_of
from curation.reports.names import internal_name_of
from curation.reports.setup import TnsSetup, lacks_to_prepare, tns_setup
from detection.context.near import neighbours_of
from detection.known.comparing import Verdict, known_near
from detection.models import (
    ContextKind,
    Detection,
    DetectionOrigin,
    DetectionStatus,
    DetectionType,
    ForcedPhotometry,
    Source,
)
from detection.sources.photometry import magnitude
from observations.models import Observation, WcsQuality
from observations.places import middle_of

_REAL = (DetectionStatus.VALIDATED, DetectionStatus.CONFIRMED)
_OBSERVER = "Robot"


def draft_of_sources(keys: Sequence[UUID], user: Visitor) -> Draft:
    """Return the report of some sources as this person would make it now."""
    rows, findings = [], [Finding("", lack) for lack in lacks_to_prepare(ReportService.TNS)]
    setup = tns_setup()
    found = {row.pk: row for row in Source.objects.visible_to(user).filter(pk__in=keys)}
    for key in dict.fromkeys(keys):
        source = found.get(key)
        if source is None:
            findings.append(Finding("", f"There is no source {key}."))
            continue
        notes = Notes(str(source))
        row = _row_of(source, user, setup, notes)
        findings += notes.findings
        if row is not None:
            rows.append(row)
    if not keys:
        findings.append(Finding("", "No source is chosen."))
    return Draft(ReportService.TNS, tuple(rows), tuple(findings))


def _row_of(source: Source, user: Visitor, setup: TnsSetup, notes: Notes) -> RowDraft | None:
    """Return a source as it would be reported; None where something forbids it."""
    seen = _detections(source, user)
    if unmarked.unanswered_and_unmarked(seen, user):
        notes.refuse("answer it in triage first.")
        return None
    standing = [row for row in seen if row.status != DetectionStatus.REJECTED]
    if not any(row.status in _REAL for row in standing):
        notes.refuse("nobody has judged it real: review it first.")
        return None
    if source.wcs_quality != WcsQuality.SOLVED:
        notes.refuse("its position is not solved against stars.")
    first = standing[0]
    _check_kind(first, standing, notes)
    _check_known(first, notes)
    frames = frames_of([first.observation])
    frames.check(first.observation, notes)
    discovery = _discovery(first, frames, setup, notes)
    before = _non_detection(not_detected_before(source, first.observation, hidden_from(user)), setup, notes)
    if notes.is_refused or discovery is None or before is None:
        return None
    body = AtReport(
        internal_name=internal_name_of(source.pk, discovery.obs_time.year),
        ra=source.ra,
        dec=source.dec,
        position_error_arcsec=source.position_error_arcsec,
        group_id=setup.group_id,
        source_id=setup.source_id,
        reporter=setup.reporters,
        at_type=POSSIBLE_SUPERNOVA if first.detection_type == DetectionType.SUPERNOVA else OTHER_TYPE,
        discovery=discovery,
        non_detection=before,
        remarks="",
    )
    time = first.observation.mjd_utc
    return RowDraft(
        source.pk, notes.subject, body.internal_name, body, source.ra, source.dec, time, time, detection=first.pk
    )


def _detections(source: Source, user: Visitor) -> list[Detection]:
    """Return what a person may see of a source, in order of time."""
    rows = Detection.objects.visible_to(user).live().filter(source=source)
    related = rows.select_related("candidate", "observation__telescope")
    found = list(related.order_by("observation__mjd_utc", "id"))
    visibility.veil(found, user)
    return found


def _check_kind(first: Detection, standing: Sequence[Detection], notes: Notes) -> None:
    if any(row.origin == DetectionOrigin.IMPORTED for row in standing):
        notes.refuse("another survey found it: who observed it reports it.")
    moving = [row for row in standing if row.candidate is not None and row.candidate.tracklets.moving().exists()]
    if moving:
        notes.refuse("it moves: what moves is reported to the Minor Planet Center.")
    if first.candidate is not None and first.candidate.is_negative:
        notes.refuse("its first detection is of light that faded: this is no discovery.")


def _check_known(first: Detection, notes: Notes) -> None:
    """Refuse what is known, and what nobody can say of whether it is."""
    known = known_near(first)
    if known.verdict == Verdict.KNOWN:
        notes.refuse(f"it is a {known.sentence}")
    elif known.verdict == Verdict.CANNOT_SAY:
        notes.refuse(f"whether it is a known asteroid or comet: {known.sentence}.")
    near = neighbours_of(first, SAME_OBJECT_ARCSEC)
    for variable in near.near.get(ContextKind.VARIABLE, ()):
        called = f"{variable.catalogue} {variable.name}".strip()
        notes.refuse(f"it is a known variable: {called}, {variable.separation_arcsec:.1f}″ away.")
    if near.cannot:
        notes.refuse(f"whether it is a known variable cannot be said: {near.cannot}.")
    elif not near.covers.get(ContextKind.VARIABLE):
        notes.refuse(
            "whether it is a known variable cannot be said: no catalogue of variables is loaded for its place "
            "(manage.py load_context)."
        )


def _discovery(first: Detection, frames: Frames, setup: TnsSetup, notes: Notes) -> AtPhotometry | None:
    frame, run = first.observation, frames.runs.get(first.observation_id)
    mag, error = magnitude(first, run)
    if run is None or mag is None:
        notes.refuse(f"its brightness in frame {frame.shown_name} is not known: the frame has no zero point, or "
                     "light is missing there.")  # fmt: skip
        return None
    numbers = _numbers(frame, run.zero_point_system, setup, notes)
    if numbers is None:
        return None
    units, filter_id, instrument_id = numbers
    return AtPhotometry(
        obs_time=middle_of(frame), mag=mag, mag_error=error, limiting_mag=run.limiting_magnitude, units=units,
        filter_id=filter_id, instrument_id=instrument_id, exposure_s=frame.exposure_time, observer=_OBSERVER,
        comment="",
    )  # fmt: skip


def _non_detection(row: ForcedPhotometry | None, setup: TnsSetup, notes: Notes) -> AtPhotometry | None:
    if row is None or row.limiting_mag is None:
        notes.refuse("no earlier frame of its band tells that it was not there, and down to which magnitude.")
        return None
    numbers = _numbers(row.observation, row.zero_point_system, setup, notes)
    if numbers is None:
        return None
    units, filter_id, instrument_id = numbers
    frame = row.observation
    return AtPhotometry(
        obs_time=middle_of(frame), mag=None, mag_error=None, limiting_mag=row.limiting_mag, units=units,
        filter_id=filter_id, instrument_id=instrument_id, exposure_s=frame.exposure_time, observer=_OBSERVER,
        comment="5 sigma at the place, forced photometry",
    )  # fmt: skip


def _numbers(frame: Observation, system: str, setup: TnsSetup, notes: Notes) -> tuple[int, int, int] | None:
    """Return the service's numbers of units, filter and instrument; None, with what to do, where one lacks."""
    units = UNITS.get(system)
    filter_id = setup.filters.get(frame.filter_band)
    telescope = frame.telescope
    instrument_id = telescope.tns_instrument_id if telescope is not None else None
    if units is None:
        notes.refuse(
            f"the magnitudes of frame {frame.shown_name} are neither AB nor Vega ({system or 'no zero point'})."
        )
    if filter_id is None:
        notes.refuse(
            f"the filter {frame.filter_band or 'of its frame'} has no number in reports.tns_filters: add it as "
            f"{frame.filter_band or 'band'}=number."
        )
    if instrument_id is None:
        called = telescope.name if telescope is not None else "of its frame"
        notes.refuse(f"the telescope {called} has no number at the Transient Name Server: an administrator sets it.")
    if units is None or filter_id is None or instrument_id is None:
        return None
    return units, filter_id, instrument_id
