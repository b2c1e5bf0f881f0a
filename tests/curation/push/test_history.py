"""What a filter would have given, and what of a saved one holds for alerts."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.hiding import hidden_from
from curation.alerts.criteria import Criteria
from curation.alerts.takeover import taken_from
from curation.models import AlertType, SavedFilter
from curation.push import history as module
from curation.push.history import history
from detection.models import DetectionType
from tests.clients import account
from tests.factories import AlertFactory, AlertPublicationFactory


def published(sequence: int, days_ago: float, source: str = "a", **metadata) -> object:
    alert = AlertFactory(is_published=True)
    facts = {"basis": "human", **metadata}
    payload = {"source": source, "alert_type": "new", "title": f"№ {sequence}", "metadata": facts}
    when = timezone.now() - dt.timedelta(days=days_ago)
    return AlertPublicationFactory(sequence=sequence, alert=alert, published_at=when, payload=payload)


@pytest.mark.django_db
def test_a_filter_is_held_against_what_was_published_in_the_nights_asked_for(monkeypatch):
    assert "Nothing has been published" in history(Criteria(), 7, account("viewer")).short
    published(1, 40.0, label="nova")
    first = published(2, 6.0, "b", label="nova")
    published(3, 5.0, "b", label="other", updates=str(first.alert_id))
    published(4, 4.0, "c", label="other")
    published(5, 0.5, "d", label="nova")
    found = history(Criteria(labels=("nova",)), 7, account("viewer"))
    assert (found.read, found.alerts, found.objects, found.short) == (4, 3, 2, "")
    assert [one.sequence for one in found.newest] == [5, 3, 2], "with what follows to who got what it is about"
    assert found.newest[0].title == "№ 5"
    assert history(Criteria(labels=("nova",)), 1, account("viewer")).alerts == 1
    assert "first alert was published 40 d ago" in history(Criteria(), 90, account("viewer")).short
    monkeypatch.setattr(module, "_MOST_READ", 2)
    found = history(Criteria(), 7, account("viewer"))
    assert (found.read, found.short) == (2, "Only the newest 2 publications were read, which go back 4 d.")


@pytest.mark.django_db
def test_a_long_history_is_read_in_pieces_and_few_are_kept(monkeypatch):
    for sequence in range(1, 8):
        published(sequence, 1.0, str(sequence))
    monkeypatch.setattr(module, "_CHUNK", 2)
    monkeypatch.setattr(module, "_MOST_SHOWN", 3)
    user = account("viewer")
    # Known with the account that sends a request.
    hidden_from(user)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = history(Criteria(), 7, user)
    assert (found.alerts, found.objects, len(found.newest)) == (7, 7, 3)
    assert len(queries) < 8


def test_what_a_saved_filter_says_of_detections_is_asked_of_alerts_as_far_as_they_say_it():
    saved = SavedFilter(query="score_min=0.9&label=Variable+star&detection_type=variable&place=10.5+-2+30&order=score")
    taken = taken_from(saved)
    assert taken.criteria == Criteria(
        score_min=0.9,
        labels=("variable_star",),
        detection_types=(DetectionType.VARIABLE,),
        ra_deg=10.5,
        dec_deg=-2.0,
        radius_arcsec=30.0,
    )
    assert taken.left == ()
    taken = taken_from(SavedFilter(query="cone=10,20,5&status=pending&score_max=0.5&field=M31&score_min=x"))
    assert (taken.criteria.ra_deg, taken.criteria.radius_arcsec, taken.criteria.score_min) == (10.0, 5.0, None)
    assert taken.left == ("field", "score max", "status")
    taken = taken_from(SavedFilter(query="place=M31"))
    assert (taken.criteria, taken.left) == (Criteria(), ("place",))
    assert AlertType.NEW not in taken.criteria.kinds
