"""Join the candidates of one field and night that move on a line."""

from __future__ import annotations

from datetime import date

import numpy as np

from catalog.configuration.values import Snapshot, snapshot
from catalog.work import jobs
from differencing.ids import field_and_night
from differencing.models import Candidate, CandidateStatus, Tracklet
from differencing.numerics.tracklets import Track, TrackletParameters, link
from observations.models import Field


def run(key: str) -> None:
    """Find the tracklets of "<field id>/<date>" among the positive candidates of that night; a repeat replaces them.

    Only what the detection stage took for real takes part: with artefacts, chance lines outnumber asteroids.
    """
    field_id, night = field_and_night(key)
    config = snapshot()
    members = list(
        Candidate.objects.filter(
            observation__field=field_id,
            observation__night=night,
            status=CandidateStatus.DETECTED,
            is_negative=False,
        )
        .select_related("observation")
        .order_by("observation__mjd_utc", "pixel_x", "pixel_y")
    )
    tracks = _link(members, tracklet_parameters(config)) if members else []
    with jobs.writing(last=True):
        field = Field.objects.select_for_update().get(pk=field_id)
        _replace(field, night, members, tracks)


def tracklet_parameters(config: Snapshot) -> TrackletParameters:
    """Return the limits of a motion as configured."""
    return TrackletParameters(
        max_rate_arcsec_per_min=config["differencing.tracklet_max_rate_arcsec_per_min"],
        min_members=config["differencing.tracklet_min_members"],
        tolerance_arcsec=config["differencing.tracklet_max_rms_arcsec"],
    )


def _link(members: list[Candidate], parameters: TrackletParameters) -> list[Track]:
    frames = {observation_id: k for k, observation_id in enumerate({c.observation_id: None for c in members})}
    return link(
        np.array([c.ra for c in members]),
        np.array([c.dec for c in members]),
        np.array([c.observation.mjd_utc for c in members]),
        np.array([frames[c.observation_id] for c in members]),
        parameters=parameters,
    )


def _replace(field: Field, night: date, members: list[Candidate], tracks: list[Track]) -> None:
    """Keep the row of a tracklet with the same members, delete the others, make the new ones."""
    old = {
        frozenset(tracklet.members.values_list("pk", flat=True)): tracklet
        for tracklet in Tracklet.objects.filter(field=field, night=night)
    }
    for track in tracks:
        chosen = [members[k] for k in track.members]
        values = {
            "rate_arcsec_per_min": track.rate_arcsec_per_min,
            "position_angle": track.position_angle_deg,
            "rms_arcsec": track.rms_arcsec,
        }
        known = old.pop(frozenset(c.pk for c in chosen), None)
        if known is None:
            known = Tracklet.objects.create(field=field, night=night, **values)
            known.members.set(chosen)
        else:
            Tracklet.objects.filter(pk=known.pk).update(**values)
    for tracklet in old.values():
        tracklet.delete()
