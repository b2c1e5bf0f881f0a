"""What belongs together in the sky is decided about together."""

from __future__ import annotations

import pytest

from curation.judgements.objects import keys_of, members_of, motion_of
from differencing.models import Mover
from tests.clients import account
from tests.factories import CandidateFactory, DetectionFactory, SourceFactory, TrackletFactory

pytestmark = pytest.mark.django_db


def moving(*detections, **given):
    tracklet = TrackletFactory(**given)
    tracklet.members.set([row.candidate for row in detections])
    return tracklet


def test_detections_of_a_source_are_one_object_and_those_without_one_stand_alone():
    source = SourceFactory()
    one, other, alone = DetectionFactory(source=source), DetectionFactory(source=source), DetectionFactory(source=None)
    keys = keys_of([one.pk, other.pk, alone.pk])
    assert keys == {one.pk: source.pk, other.pk: source.pk, alone.pk: alone.pk}
    members = members_of(keys.values(), account("curator"))
    assert {key: set(rows) for key, rows in members.items()} == {source.pk: {one.pk, other.pk}, alone.pk: {alone.pk}}


def test_members_of_a_tracklet_are_one_object_whatever_their_sources():
    pieces = [DetectionFactory(source=SourceFactory()) for _ in range(3)]
    tracklet = moving(*pieces)
    assert set(keys_of([row.pk for row in pieces]).values()) == {tracklet.pk}
    assert set(members_of([tracklet.pk], account("curator"))[tracklet.pk]) == {row.pk for row in pieces}
    assert motion_of([tracklet.pk]) == {tracklet.pk: tracklet}


def test_a_doubtful_tracklet_joins_nothing():
    pieces = [DetectionFactory(source=SourceFactory()) for _ in range(3)]
    moving(*pieces, is_doubtful=True)
    assert keys_of([row.pk for row in pieces]) == {row.pk: row.source_id for row in pieces}


def test_tracklets_of_several_nights_that_are_one_mover_are_one_object():
    mover = Mover.objects.create(rms_arcsec=0.3, chance_rate=0.0)
    first, second = DetectionFactory(), DetectionFactory()
    moving(first, mover=mover)
    moving(second, mover=mover)
    assert keys_of([first.pk, second.pk]) == {first.pk: mover.pk, second.pk: mover.pk}
    assert set(members_of([mover.pk], account("curator"))[mover.pk]) == {first.pk, second.pk}


def test_what_moves_past_a_star_leaves_the_star_s_other_detections_alone():
    star = SourceFactory()
    passing, of_the_star = DetectionFactory(source=star), DetectionFactory(source=star)
    tracklet = moving(passing, DetectionFactory())
    assert keys_of([passing.pk, of_the_star.pk]) == {passing.pk: tracklet.pk, of_the_star.pk: star.pk}
    assert members_of([star.pk], account("curator")) == {star.pk: [of_the_star.pk]}


def test_what_was_archived_belongs_to_no_object_and_a_candidate_without_detection_neither():
    gone = DetectionFactory(status="archived")
    seen = DetectionFactory()
    tracklet = moving(seen)
    tracklet.members.add(CandidateFactory())
    assert members_of([gone.source_id, tracklet.pk], account("curator")) == {tracklet.pk: [seen.pk]}


def test_members_come_in_the_order_of_their_frames():
    source = SourceFactory()
    rows = [DetectionFactory(source=source) for _ in range(3)]
    for row, mjd in zip(rows, (60002.0, 60000.0, 60001.0), strict=True):
        type(row.observation).objects.filter(pk=row.observation_id).update(mjd_utc=mjd)
    assert members_of([source.pk], account("curator"))[source.pk] == [rows[1].pk, rows[2].pk, rows[0].pk]
