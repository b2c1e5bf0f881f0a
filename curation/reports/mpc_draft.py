"""What would be reported of what moves, to the Minor Planet Center, and what forbids it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from catalog.models import Visitor
from curation.judgements import unmarked, visibility
from curation.models import ReportService
from curation.numerics.ades import AdesHead, AdesPosition, band_code, catalogue_code, identifiers
from curation.reports.digest import neo_score
from curation.reports.facts import Draft, Finding, MovingBody, Notes, RowDraft
from curation.reports.frames import Frames, frames_of, one_telescope
from curation.reports.names import new_trk_sub
from curation.reports.setup import lacks_to_prepare, mpc_setup
from detection.known.comparing import Verdict, known_near_each
from detection.models import Detection, DetectionStatus
from detection.sources.photometry import magnitude_of
from differencing.models import Candidate, Tracklet, TrackletKind
from observations.models import Telescope
from observations.places import middle_of, place_of

# An object that is new is believed from this many positions on.
LEAST_POSITIONS = 3


def title_of(tracklet: Tracklet) -> str:
    """Name a tracklet as lists of what moves do."""
    return f"T{tracklet.pk.hex[-7:].upper()}"


def draft_of_tracklets(keys: Sequence[UUID], user: Visitor) -> Draft:
    """Return the report of some tracklets as this person would make it now."""
    rows, findings = [], [Finding("", lack) for lack in lacks_to_prepare(ReportService.MPC)]
    found = {row.pk: row for row in Tracklet.objects.visible_to(user).filter(pk__in=keys)}
    telescopes: dict[UUID, Telescope] = {}
    for key in dict.fromkeys(keys):
        tracklet = found.get(key)
        if tracklet is None:
            findings.append(Finding("", f"There is no tracklet {key}."))
            continue
        notes = Notes(title_of(tracklet))
        members = _members(tracklet, user)
        telescope = one_telescope([row.observation for row in members], notes) if members else None
        if telescope is not None:
            _check_telescope(telescope, notes)
            telescopes[telescope.pk] = telescope
        row = _row_of(tracklet, members, user, notes)
        findings += notes.findings
        if row is not None:
            rows.append(row)
    if not keys:
        findings.append(Finding("", "No tracklet is chosen."))
    if len(telescopes) > 1:
        findings.append(Finding("", "These tracklets are of several telescopes: report those of each by themselves."))
    telescope = next(iter(telescopes.values()), None)
    head = _head(telescope) if telescope is not None else None
    station = telescope.mpc_code if telescope is not None else ""
    return Draft(ReportService.MPC, tuple(rows), tuple(findings), head, station)


def _members(tracklet: Tracklet, user: Visitor) -> list[Candidate]:
    """Return the positions that a person may see: nobody reports what is hidden from them."""
    rows = Candidate.objects.visible_to(user).filter(tracklets=tracklet).select_related("observation__telescope")
    return list(rows.order_by("observation__mjd_utc", "id"))


def _check_telescope(telescope: Telescope, notes: Notes) -> None:
    needed = {
        "an observatory code": telescope.mpc_code,
        "a design": telescope.design,
        "an aperture": telescope.aperture_m,
        "a kind of detector": telescope.detector,
    }
    for name, value in needed.items():
        if not value:
            notes.refuse(
                f"the telescope {telescope.name} has not got {name}, without which the Minor Planet Center takes "
                "nothing: an administrator sets it."
            )


def _head(telescope: Telescope) -> AdesHead | None:
    setup = mpc_setup()
    if telescope.aperture_m is None:
        return None
    return AdesHead(
        station=telescope.mpc_code,
        submitter=setup.submitter,
        observers=setup.observers,
        measurers=setup.measurers,
        telescope=telescope.name,
        design=telescope.design,
        aperture_m=telescope.aperture_m,
        detector=telescope.get_detector_display(),
    )


def _row_of(tracklet: Tracklet, members: Sequence[Candidate], user: Visitor, notes: Notes) -> RowDraft | None:
    """Return a tracklet as it would be reported; None where something forbids it."""
    detections = _detections(members, user)
    if unmarked.unanswered_and_unmarked(detections, user):
        notes.refuse("answer its detections in triage first.")
        return None
    _check_tracklet(tracklet, members, detections, notes)
    frames = frames_of([row.observation for row in members])
    for row in members:
        frames.check(row.observation, notes)
    known = _known(detections, notes)
    name = new_trk_sub()
    positions = [_position(row, frames, (name, *known), notes) for row in members]
    if notes.is_refused:
        return None
    measured = tuple(position for position in positions if position is not None)
    if any(position.mag is None for position in measured):
        notes.note("of some positions the brightness is left out: its band or its catalogue has no code in ADES.")
    score, lack = neo_score(measured, place_of(members[0].observation.telescope))
    return RowDraft(
        tracklet.pk, notes.subject, name, MovingBody(measured), members[0].ra, members[0].dec,
        members[0].observation.mjd_utc, members[-1].observation.mjd_utc,
        detections[-1].pk if detections else None, score, lack,
    )  # fmt: skip


def _detections(members: Collection[Candidate], user: Visitor) -> list[Detection]:
    rows = Detection.objects.visible_to(user).live().filter(candidate__in=members)
    found = list(rows.select_related("candidate", "observation").order_by("observation__mjd_utc", "id"))
    visibility.veil(found, user)
    return found


def _check_tracklet(
    tracklet: Tracklet, members: Sequence[Candidate], detections: Sequence[Detection], notes: Notes
) -> None:
    if tracklet.kind == TrackletKind.STACKED:
        notes.refuse("it was found by adding frames: no single frame shows a position of it.")
        return
    if tracklet.is_doubtful:
        notes.refuse("chance makes tracklets like it too often, or its trails deny its motion.")
    frames = {row.observation_id for row in members}
    if len(frames) < LEAST_POSITIONS:
        count = f"{len(frames)} position{'' if len(frames) == 1 else 's'}"
        notes.refuse(f"it has {count} in this night: {LEAST_POSITIONS} are needed.")
    if len(frames) < len(members):
        notes.refuse("it has two positions in one frame.")
    if any(row.is_imported for row in members):
        notes.refuse("another survey observed it: who observed it reports it.")
    rejected = [row for row in detections if row.status == DetectionStatus.REJECTED]
    if rejected:
        are = "one of its detections was" if len(rejected) == 1 else f"{len(rejected)} of its detections were"
        notes.refuse(f"{are} rejected by people.")


def _known(detections: Sequence[Detection], notes: Notes) -> tuple[str | None, str | None]:
    """Return number and designation of the known body that a tracklet is; None where it is none, or nobody can say."""
    answers = known_near_each(detections).values() if detections else ()
    names = {known.objects[0].designation for known in answers if known.verdict == Verdict.KNOWN and known.objects}
    if len(names) > 1:
        notes.note(f"its detections are taken for several known bodies ({', '.join(sorted(names))}): none is named.")
        return None, None
    if not names:
        unsaid = next((known.sentence for known in answers if known.verdict == Verdict.CANNOT_SAY), "")
        if unsaid:
            notes.note(f"whether it is a known body: {unsaid}. It is reported under a name of ours alone.")
        return None, None
    (name,) = names
    perm_id, prov_id = identifiers(name)
    if perm_id is None and prov_id is None:
        notes.note(f"it is {name}, of which no number or designation can be read: it is reported under our name.")
    return perm_id, prov_id


def _position(
    row: Candidate, frames: Frames, names: tuple[str, str | None, str | None], notes: Notes
) -> AdesPosition | None:
    """Return one position as it would be reported; None, with the reason, where something lacks."""
    frame, run, telescope = row.observation, frames.runs.get(row.observation_id), row.observation.telescope
    method = frames.methods.get(row.observation_id, "")
    catalogue, error = catalogue_code(method), frames.position_error_arcsec(row)
    if run is None or telescope is None:
        return None
    if catalogue is None:
        told = f"“{method}” is no catalogue that ADES names" if method else "nothing says by which catalogue"
        notes.refuse(f"by which stars frame {frame.shown_name} was solved cannot be told: {told}.")
    if error is None:
        notes.refuse(f"how well its position in frame {frame.shown_name} was measured is not known.")
    if catalogue is None or error is None:
        return None
    mag, mag_error, band, phot_cat = _light(row, frames)
    trk_sub, perm_id, prov_id = names
    return AdesPosition(
        perm_id=perm_id, prov_id=prov_id, trk_sub=trk_sub, mode=telescope.detector, station=telescope.mpc_code,
        obs_time=middle_of(frame), ra=row.ra, dec=row.dec, rms_ra_arcsec=error, rms_dec_arcsec=error,
        ast_cat=catalogue, mag=mag, rms_mag=mag_error, band=band, phot_cat=phot_cat,
        snr=abs(row.snr) if row.snr else None, seeing_arcsec=frame.seeing, exposure_s=frame.exposure_time,
    )  # fmt: skip


def _light(row: Candidate, frames: Frames) -> tuple[float | None, float | None, str | None, str | None]:
    """Return magnitude, its error, band and catalogue; all None where one of them lacks or has no code."""
    run = frames.runs[row.observation_id]
    flux = (row.trail_flux, row.trail_flux_error) if row.trail_flux is not None else (row.flux, row.flux_error)
    mag, error = magnitude_of(*flux, run.zero_point_mag, run.zero_point_error)
    band = band_code(run.zero_point_catalogue, run.zero_point_band)
    catalogue = catalogue_code(run.zero_point_catalogue)
    if mag is None or band is None or catalogue is None:
        return None, None, None, None
    return mag, error, band, catalogue
