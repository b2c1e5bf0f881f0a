"""A whole frame is rejected without scripts: told before, in one group, and taken back at once."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.test import Client

from catalog.models import AuditLog
from curation.models import GoldAnswer, Lease, ValidationEvent
from detection.models import Detection
from tests.curation.cutouts import cutouts, detection_with_cutouts, store
from tests.curation.looks import judge
from tests.curation.triage.plain.test_views import _HIDDEN, Reader
from tests.factories import CandidateFactory, GoldAnswerFactory, InjectedFactory, LabelDefinitionFactory, SourceFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]


def frame_of(*scores: float) -> list[Detection]:
    """Return detections of one frame, each of an object of its own."""
    first = detection_with_cutouts(source=SourceFactory(), confidence_score=scores[0])
    run = first.candidate.difference_run
    more = [
        detection_with_cutouts(
            source=SourceFactory(), confidence_score=score, candidate=CandidateFactory(difference_run=run)
        )
        for score in scores[1:]
    ]
    return [first, *more]


def look_before(reader: Reader) -> Reader:
    [address] = re.findall(r'href="([^"]+)">Reject the whole frame', reader.text)
    return reader.follow(address.replace("&amp;", "&"))


def press(reader: Reader, **typed: str) -> Reader:
    """Reject, as the form on screen is filled in."""
    given = dict(_HIDDEN.findall(reader.text[reader.text.find("Rejection of the frame") :]))
    given["context"] = given["context"].replace("&quot;", '"')
    answer = reader.client.post(reader.address, {**given, "say": "reject frame", **typed}, follow=True)
    return reader._shown(answer, reader.address)


def states() -> dict[object, str]:
    return dict(Detection.objects.values_list("pk", "status"))


def test_what_it_would_be_about_is_told_before_and_nothing_is_done_by_looking():
    rows = frame_of(0.9, 0.8, 0.7)
    judge(rows[2], True)
    reader = look_before(Reader().get())
    words = re.sub(r"\s+", " ", reader.text)
    assert "2 detections of 2 objects will be called bogus in your name" in words
    assert reader.text.count('class="cutouts"') == 3, "the images of the one that it began with"
    assert not ValidationEvent.objects.filter(is_valid=False).exists()
    back = re.findall(r'<a class="button" href="([^"]+)">Cancel', reader.text)[0].replace("&amp;", "&")
    assert reader.follow(back).shown == str(rows[0].pk)


def test_all_that_waits_is_called_bogus_at_once_and_one_undo_takes_it_back():
    rows, elsewhere = frame_of(0.9, 0.8, 0.7), detection_with_cutouts(source=SourceFactory(), confidence_score=0.1)
    judge(rows[2], True)
    label = LabelDefinitionFactory(is_valid=False).label
    reader = press(look_before(Reader().get()), label=label, notes="Clouds")
    assert reader.shown == str(elsewhere.pk)
    assert "2 detections called bogus. Undo takes all of it back." in reader.text
    assert [states()[row.pk] for row in rows] == ["rejected", "rejected", "validated"]
    events = ValidationEvent.objects.filter(is_valid=False)
    assert {(event.label, event.notes) for event in events} == {(label, "Clouds")}
    assert {event.detection_id: event.shown for event in events} == {rows[0].pk: "large", rows[1].pk: "unseen"}
    assert {(event.visible_context["answered_by"], event.visible_context["drawn"]) for event in events} == {
        ("frame", "pictures")
    }
    assert len({event.group for event in events}) == 1
    assert AuditLog.objects.get(action="reject_frame").new_values["detections"] == 2
    reader.undo()
    assert reader.shown == str(rows[0].pk)
    assert [states()[row.pk] for row in rows] == ["pending", "pending", "validated"] or Lease.objects.exists()
    assert AuditLog.objects.filter(action="take_back_frame").exists()
    assert ValidationEvent.objects.filter(kind="withdrawal").count() == 2


def test_a_form_that_is_sent_twice_rejects_once():
    frame_of(0.9, 0.8)
    reader = look_before(Reader().get())
    address, text = reader.address, reader.text
    press(reader)
    reader.address, reader.text = address, text
    press(reader)
    assert ValidationEvent.objects.count() == 2
    assert "2 detections called bogus" in reader.text


@pytest.mark.parametrize(
    ("typed", "status", "why"),
    [
        ({"label": "no_such_label"}, 422, "Nothing was kept"), ({"group": "x"}, 422, "damaged on its way"),
        ({"person": str(uuid4())}, 409, "You are logged in as"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_refused_with_a_reason_and_stays_typed(typed: dict[str, str], status: int, why: str):
    frame_of(0.9)
    reader = press(look_before(Reader().get()), notes="Only clouds", **typed)
    assert reader.status == status
    assert why in reader.text and "Only clouds</textarea>" in reader.text
    assert not ValidationEvent.objects.exists()


def test_a_frame_in_which_nothing_waits_any_more_has_no_button():
    rows = frame_of(0.9)
    reader = Reader()
    judge(rows[0], True, person=reader.user)
    look_before(reader.get(f"detection={rows[0].pk}"))
    assert "Nothing in this frame awaits review any more" in reader.text
    assert 'value="reject frame"' not in reader.text
    press(reader, group=str(uuid4()))
    assert (reader.status, "nothing left to answer about" in reader.text) == (422, True)


def test_an_injected_source_goes_with_its_frame_and_comes_back_with_undo(monkeypatch: pytest.MonkeyPatch):
    reader = Reader()
    item = InjectedFactory()
    store(item.detection, cutouts())
    reader.get()
    window = reader.place["window"]
    GoldAnswerFactory(item=item, person=reader.user, window=window)
    reader.get(f"window={window}&item={item.detection_id}")
    assert reader.shown == str(item.detection_id)
    press(look_before(reader))
    assert "1 detection called bogus" in reader.text
    assert not ValidationEvent.objects.exists() and GoldAnswer.objects.get().is_valid is None
    reader.undo()
    assert "Undone" in reader.text and reader.shown == str(item.detection_id)


def test_only_curators_look_at_it():
    assert Client().get("/triage/plain/?frame=1").status_code == 302
