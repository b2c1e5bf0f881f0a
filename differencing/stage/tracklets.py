"""Join the candidates of one field and night that move on a line, and these with those of other nights."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import numpy as np

from catalog.configuration.values import Snapshot, snapshot
from catalog.work import jobs
from differencing.ids import field_and_night
from differencing.models import Candidate, CandidateStatus, Tracklet
from differencing.numerics.tracklets import Sightings, Track, TrackletParameters, link
from differencing.numerics.vetoes.veto import OF_NO_SOURCE
from differencing.stage.candidates import position_error_arcsec
from differencing.stage.movers import join_nights
from observations.models import Field, Observation, WcsQuality
from preprocessing.models import PreprocessRun

# A position within so many of its errors of its tracklet's line is one of it.
_TOLERANCE_SIGMA = 4.0


# A point where the rate makes a trail of so many FWHM, or a trail of another length by this factor, denies the rate.
_TRAIL_FWHM = 2.0
_TRAIL_FACTOR = 2.0
# As round as that is what moves by less than one FWHM.
_ROUND = 0.2


def run(key: str) -> None:
    """Find the tracklets of "<field id>/<date>" among the positive candidates of that night; a repeat replaces them.

    What the detection stage took for real is joined first. What it did not take for real, such as a comet that looks
    like no star, joins afterwards, and chance has to explain it less often the more of it there is; what is surely no
    light of the sky's takes no part. In the end what is one with tracklets of the nights around is found anew: a night
    may arrive late.
    """
    field_id, night = field_and_night(key)
    config = snapshot()
    members = list(
        Candidate.objects.filter(
            observation__field=field_id,
            observation__night=night,
            status__in=(CandidateStatus.DETECTED, CandidateStatus.LINKED, CandidateStatus.REJECTED),
            is_negative=False,
        )
        .select_related("observation", "difference_run")
        .order_by("observation__mjd_utc", "pixel_x", "pixel_y")
    )
    members = [candidate for candidate in members if not candidate.veto_codes & OF_NO_SOURCE]
    parameters = tracklet_parameters(config)
    tracks = link(_sightings(members, config), parameters=parameters) if members else []
    with jobs.writing():
        field = Field.objects.select_for_update().get(pk=field_id)
        _replace(field, night, members, tracks, parameters.max_chance_rate)
    join_nights(field, night, config)


def tracklet_parameters(config: Snapshot) -> TrackletParameters:
    """Return the limits of a motion as configured."""
    return TrackletParameters(
        min_rate_arcsec_per_min=config["differencing.tracklet_min_rate_arcsec_per_min"],
        max_rate_arcsec_per_min=config["differencing.tracklet_max_rate_arcsec_per_min"],
        min_members=config["differencing.tracklet_min_members"],
        max_rms_arcsec=config["differencing.tracklet_max_rms_arcsec"],
        min_motion_arcsec=config["differencing.tracklet_min_motion_arcsec"],
        max_chance_rate=config["differencing.tracklet_max_chance_rate"],
    )


def _sightings(members: list[Candidate], config: Snapshot) -> Sightings:
    followed = _followed([*{c.observation_id: c.observation for c in members}.values()], config)
    frames = {observation_id: k for k, observation_id in enumerate({c.observation_id: None for c in members})}
    return Sightings(
        ra=np.array([c.ra for c in members]),
        dec=np.array([c.dec for c in members]),
        mjd=np.array([c.observation.mjd_utc for c in members]),
        frame=np.array([frames[c.observation_id] for c in members]),
        tolerance_arcsec=np.array([_TOLERANCE_SIGMA * position_error_arcsec(c) for c in members]),
        is_trusted=np.array([c.status == CandidateStatus.DETECTED for c in members]),
        pixel_x=np.array([c.pixel_x for c in members]),
        pixel_y=np.array([c.pixel_y for c in members]),
        width_arcsec=np.array([_width_arcsec(c) for c in members]),
        snr=np.array([c.snr for c in members]),
        is_followed=np.array([c.observation_id in followed for c in members]),
    )


def _followed(observations: list[Observation], config: Snapshot) -> set[UUID]:
    """Return the frames whose stars are lines, as the telescope followed something that moves."""
    runs = PreprocessRun.objects.newest_by_time(observations)
    limit = config["preprocessing.max_ellipticity"]
    return {run.observation_id for run in runs if (run.ellipticity or 0.0) > limit}


def _width_arcsec(candidate: Candidate) -> float:
    """Return the FWHM of what is wider than a star; 0 of all else."""
    is_wide = "wider_than_star" in candidate.veto_codes
    return (candidate.fwhm or 0.0) * (candidate.observation.pixel_scale or 0.0) if is_wide else 0.0


def _replace(field: Field, night: date, members: list[Candidate], tracks: list[Track], max_chance_rate: float) -> None:
    """Keep the row of a tracklet with the same members, delete the others, make the new ones."""
    old = {
        frozenset(tracklet.members.values_list("pk", flat=True)): tracklet
        for tracklet in Tracklet.objects.linked().filter(field=field, night=night)
    }
    for track in tracks:
        chosen = [members[k] for k in track.members]
        ratio = _trail_ratio(chosen, track.rate_arcsec_per_min)
        is_nominal = any(c.observation.wcs_quality == WcsQuality.NOMINAL for c in chosen)
        values = {
            "rate_arcsec_per_min": track.rate_arcsec_per_min,
            "position_angle": None if is_nominal else track.position_angle_deg,
            "rms_arcsec": track.rms_arcsec,
            "chance_rate": track.chance_rate,
            "trail_ratio": ratio,
            "is_doubtful": track.chance_rate > max_chance_rate
            or (ratio is not None and not 1.0 / _TRAIL_FACTOR <= ratio <= _TRAIL_FACTOR),
        }
        known = old.pop(frozenset(c.pk for c in chosen), None)
        if known is None:
            known = Tracklet.objects.create(field=field, night=night, **values)
            known.members.set(chosen)
        else:
            Tracklet.objects.filter(pk=known.pk).update(**values)
    for tracklet in old.values():
        tracklet.delete()


def _is_point(candidate: Candidate) -> bool:
    return (candidate.ellipticity or 1.0) < _ROUND and "wider_than_star" not in candidate.veto_codes


def _trail_ratio(members: list[Candidate], rate_arcsec_per_min: float) -> float | None:
    """Return the median of the members' trails over what a rate makes of their exposures; None where none can tell.

    A trail tells, and so does a point where there should be a trail. A coma does not: the telescope may follow it.
    """
    ratios = []
    for candidate in members:
        expected = rate_arcsec_per_min * candidate.observation.delivered.exposure_s / 60.0
        width = (candidate.fwhm or 0.0) * (candidate.observation.pixel_scale or 0.0)
        if candidate.trail_length_arcsec is not None and expected > 0.0:
            ratios.append(candidate.trail_length_arcsec / expected)
        elif width and expected > _TRAIL_FWHM * width and _is_point(candidate):
            ratios.append(0.0)
    return float(np.median(ratios)) if ratios else None
