"""What the page of triage and its script get from the server."""

from __future__ import annotations

import datetime as dt
import re
from uuid import UUID, uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from catalog.ids import uuid7
from catalog.models import AuditLog, ProcessingJob, SystemConfig
from curation.models import Deferral, LabelDefinition, Lease, ValidationEvent
from curation.triage.forms import AnswerForm
from detection.models import Detection
from tests.curation.cutouts import cutouts, detection_with_cutouts, store
from tests.curation.looks import AB, judge, measured
from tests.curation.triage.windows import SHOWN, Window, ids
from tests.factories import (
    CandidateFactory,
    DetectionFactory,
    FieldFactory,
    LeaseFactory,
    ObservationFactory,
    PreprocessRunFactory,
    ProcessingJobFactory,
    SourceFactory,
    TrackletFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]


def test_the_page_changes_nothing_and_tells_how_many_are_left():
    DetectionFactory()
    LeaseFactory()
    before = list(Detection.objects.order_by("id").values_list("status", "updated_at"))
    page = Window().page().content.decode()
    assert 'data-queue-remaining="2"' in page
    assert 'data-detection-id=""' in page
    assert 'data-viewer-ready="false"' in page
    assert list(Detection.objects.order_by("id").values_list("status", "updated_at")) == before
    assert Lease.objects.count() == 1


def test_without_scripts_the_page_says_so_and_leads_to_one_that_needs_none():
    page = Window().page("?order=newest&field=M31").content.decode()
    assert "needs JavaScript" in page
    plain = reverse("curation:triage_plain")
    query = "?order=newest&amp;field=M31"
    assert f'<noscript><meta http-equiv="refresh" content="0; url={plain}{query}"></noscript>' in page
    assert f'href="{plain}{query}"' in page
    assert f"url={plain}?by=object" in Window().page().content.decode()


def test_an_answer_about_another_epoch_of_what_one_holds_is_given_in_time():
    source = SourceFactory()
    rows = [detection_with_cutouts(source=source, confidence_score=score) for score in (0.9, 0.8)]
    window = Window()
    assert ids(window.take(1)) == [str(rows[0].pk)]
    given = window.answer(rows[1]).json()
    assert given["has_lapsed"] is False
    Lease.objects.update(expires_at=timezone.now() - dt.timedelta(minutes=1))
    assert window.answer(rows[1]).json()["has_lapsed"] is True


def test_the_first_nine_labels_stand_on_the_keys_and_say_what_they_mean():
    page = Window().page().content.decode()
    first, tenth = LabelDefinition.objects.order_by("position")[0], LabelDefinition.objects.order_by("position")[9]
    assert f'data-key="1" data-label="{first.label}"' in page
    assert f'data-label="{tenth.label}"' in page
    assert f'data-key="10" data-label="{tenth.label}"' not in page


def test_an_item_brings_what_is_drawn_and_what_is_read():
    row = detection_with_cutouts(candidate__is_negative=True, candidate__is_saturated=True)
    PreprocessRunFactory(observation=row.observation, zero_point_mag=25.0, zero_point_error=0.02)
    window = Window()
    [item] = window.take(1)["items"]
    assert item["pixels"] == item["all_pixels"]
    assert f"epochs={row.pk.hex}~" in item["pixels"]
    assert (item["x"], item["y"]) == (31 + 100.5 - 100, 31.25)
    assert item["turn"] == {"is_flipped": False, "quarter_turns": 0, "north_deg": None}
    assert item["warning"] == "Negative: fainter than in the reference"
    assert "saturated" in item["html"]
    assert "10:00:02.40 +02:00:36.0" in item["html"]
    assert "150.010000 +2.010000" in item["html"]
    assert window.client.get(item["pixels"]).content.startswith(b'{"epochs"')


def test_a_magnitude_is_shown_where_it_is_known_and_a_dash_where_it_is_not():
    known, unknown = detection_with_cutouts(confidence_score=0.9), detection_with_cutouts(confidence_score=0.8)
    PreprocessRunFactory(observation=known.observation, zero_point_mag=25.0, zero_point_system="AB")
    first, second = Window().take(2)["items"]
    assert "17.50 ± 0.05 AB" in first["html"]
    assert "no zero point" in second["html"]
    assert unknown.pk


def test_the_history_of_the_source_is_drawn_with_the_frames_that_show_nothing():
    source = SourceFactory()
    for _ in range(2):
        row = DetectionFactory(source=source)
        PreprocessRunFactory(observation=row.observation, zero_point_mag=25.0)
    measured(source, 1.0)
    measured(source, 2.0, **AB)
    measured(source, 3.0, flux=300.0, **AB)
    measured(source, 4.0, reason="masked")
    item = Window().take(1)["items"][0]
    assert "detected in 2 frames, not seen in 3" in item["html"]
    assert item["html"].count('class="seen') == 2
    assert item["html"].count('class="seen now"') == 1
    assert item["html"].count('class="forced"') == 1
    # What is masked is drawn as such as well; without a zero point no limit is known, and none is drawn.
    assert item["html"].count('class="unseen"') == 2
    assert item["html"].count('class="limit"') == 1


def test_what_came_with_a_file_is_shown_as_text():
    frame = ObservationFactory(original_name="<script>alert(1)</script>.fits")
    row = DetectionFactory(candidate=CandidateFactory(difference_run__observation=frame))
    judge(row, True, notes="<img src=x onerror=alert(2)>")
    html = Window().take(1, query="status=validated")["items"][0]["html"]
    assert "<script>" not in html
    assert "<img" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_who_said_what_is_shown_or_hidden_until_one_s_own_answer_is_in():
    row = DetectionFactory()
    other = judge(row, False, "expert")
    window = Window()
    item = window.take(1, query="status=rejected")["items"][0]
    assert other.username in item["html"]
    assert "bogus (expert)" in item["html"]
    assert item["context"] == {
        "blind": False, "answers_shown": 1, "score_shown": True, "cutouts": None, "origin": "pipeline",
    }  # fmt: skip
    SystemConfig.objects.create(key="curation.blind", value=True)
    blind = window.take(1, query="status=rejected", one=str(row.pk))["items"][0]
    assert other.username not in blind["html"]
    assert blind["context"] == {
        "blind": True, "answers_shown": 0, "score_shown": True, "cutouts": None, "origin": "pipeline",
    }  # fmt: skip
    window.answer(row, False)
    after = window.take(1, query="status=rejected", one=str(row.pk))["items"][0]
    assert other.username in after["html"]
    assert after["own"]["said"] == "bogus (medium)"


def test_the_query_narrows_what_is_taken_and_a_wrong_value_is_told():
    field = FieldFactory(name="M 31")
    frame = ObservationFactory(field=field, night=dt.date(2024, 5, 5), filter_band="V")
    row = DetectionFactory(candidate=CandidateFactory(difference_run__observation=frame), confidence_score=0.7)
    DetectionFactory(confidence_score=0.95)
    window = Window()
    for query in ("field=m%2031", f"field={field.pk}", "night=2024-05-05", "band=V", "score_max=0.8"):
        assert ids(window.take(query=query)) == [str(row.pk)], query
        window.client.post(reverse("curation:triage_release"), {"window": window.key, "person": str(window.user.pk)})
    assert window.take(query="night=yesterday")["empty"]["code"] == "unreadable"
    assert "Enter a valid date" in window.page("?night=yesterday").content.decode()
    assert window.take(query="score_min=0.8&field=M+31")["empty"]["code"] == "narrow"


def test_an_empty_queue_says_why():
    window = Window()
    assert window.take()["empty"]["code"] == "none"
    row = DetectionFactory()
    other = Window()
    other.take()
    assert window.take()["empty"]["code"] == "held"
    second_window = Window(other.user)
    assert second_window.take()["empty"]["code"] == "other_window"
    assert ids(second_window.take(take_over=True)) == [str(row.pk)]
    second_window.answer(row)
    assert window.take()["empty"]["code"] == "done"
    disputed = DetectionFactory()
    judge(disputed, True)
    judge(disputed, False, "high", person=window.user)
    assert window.take()["empty"]["code"] == "answered"


def test_an_answer_is_kept_once_however_often_it_is_sent_and_leaves_its_line():
    row = DetectionFactory()
    window = Window()
    window.take()
    key = str(uuid7())
    more = {
        "label": "asteroid",
        "notes": "<b>moves</b>",
        "seconds_taken": 1.5,
        "visible_context": {"blind": False, **SHOWN},
    }
    first, again = (window.answer(row, True, id=key, **more) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == {"id": key, "has_lapsed": False, "is_held": False, "others": [], "opposed": []}
    event = ValidationEvent.objects.get()
    assert (str(event.pk), event.validator, event.notes, event.seconds_taken) == (key, window.user, "<b>moves</b>", 1.5)
    entry = AuditLog.objects.get(action="validation_verdict")
    assert (entry.user, entry.old_values["status"], entry.new_values["status"]) == (
        window.user.username, "validating", "validated",
    )  # fmt: skip
    assert window.answer(row, False, id=key).status_code == 422


# Cases must have the same names in each process that runs tests.
NOBODYS = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"label": "ufo"}, 422, "no label"),
        ({"is_valid": None}, 422, "is_valid"),
        ({"detection": NOBODYS}, 422, "no such detection"),
        ({"confidence_level": "sure"}, 422, "your confidence"),
        ({"id": "1"}, 422, "its own key"),
        ({"window": ""}, 422, "the page that it was given on"),
        ({"seconds_taken": "nan"}, 422, "how long it took"),
        ({"notes": "a\0b"}, 422, "the note"),
        ({"visible_context": {}}, 422, "Its images were not on screen"),
        ({"visible_context": {"images": []}}, 422, "Its images were not on screen"),
        ({"visible_context": {"images": ["science", "reference"]}}, 422, "Its images were not on screen"),
        ({"visible_context": {"images": "science, reference, difference"}}, 422, "Its images were not on screen"),
        ({"person": NOBODYS}, 409, "logged in as"),
    ],
    ids=str,
)
def test_what_cannot_be_kept_is_refused_with_the_reason(body, status, reason):
    answer = Window().answer(DetectionFactory(), **{"is_valid": True, **body})
    assert answer.status_code == status
    assert reason in answer.json()["detail"]
    assert not ValidationEvent.objects.exists()


@pytest.mark.parametrize("body", ["", "[1]", "{", "[" * 3000, '{"window": 1}', '{"count": 99}', '{"holding": ["x"]}'])
def test_what_is_no_request_of_the_page_is_refused(body):
    window = Window()
    answer = window.client.post(reverse("curation:triage_next"), body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_a_late_answer_is_told_what_the_other_said():
    row = DetectionFactory()
    late, other = Window(), Window()
    [item] = ids(late.take())
    Lease.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert ids(other.take()) == [item]
    assert late.take(0, holding=[item])["lost"] == [item]
    other.answer(row, False, label="cosmic_ray")
    told = late.answer(row, True).json()
    assert told["has_lapsed"] is True
    assert told["others"] == [f"{other.user.username} said bogus, Cosmic ray (medium)"]
    assert ValidationEvent.objects.count() == 2


def test_one_that_another_looks_at_is_not_given_out():
    row = DetectionFactory()
    first, second = Window(), Window()
    first.take()
    given = second.take(1, one=str(row.pk))
    assert given["items"] == []
    assert given["empty"]["text"] == f"{first.user.username} is reviewing it now."


def test_a_page_that_is_loaded_again_gets_back_what_it_held():
    rows = [DetectionFactory(confidence_score=0.9 - number / 100) for number in range(4)]
    window = Window()
    window.take(3)
    former, window.key = window.key, str(uuid4())
    assert ids(window.take(3, former=former)) == [str(row.pk) for row in rows[:3]]


def test_a_page_that_is_left_gives_back_all_but_what_is_unsaved():
    rows = [DetectionFactory() for _ in range(3)]
    window = Window()
    window.take(3)
    form = {"window": window.key, "person": str(window.user.pk), "kept": f"{rows[0].pk},{rows[1].pk}"}
    answer = window.client.post(reverse("curation:triage_release"), form)
    assert answer.json() == {"released": 1}
    assert Lease.objects.count() == 2


def test_the_number_of_queries_does_not_grow_with_history_and_little_with_items(django_assert_max_num_queries):
    for number in range(16):
        # Four objects of four epochs.
        source = Detection.objects.order_by("created_at")[number % 4].source if number > 3 else SourceFactory()
        row = DetectionFactory(source=source, confidence_score=0.9 - number / 100)
        judge(row, True)
        judge(row, False, "medium")
        Detection.objects.update(status="pending")
    window = Window()
    # Session, person and rights 4; leases 9, windows and what each may hold 2; objects 4, facts of all 8, known
    # bodies 6, what else is known around them 5, what hides what was drawn 1, and of each item 2.
    with django_assert_max_num_queries(52):
        assert len(window.take(4)["items"]) == 4
    with django_assert_max_num_queries(12):
        assert window.page().status_code == 200


def test_pixels_are_kept_by_browsers_for_ever_until_they_are_written_anew():
    row = detection_with_cutouts()
    window = Window()
    url = window.take(1)["items"][0]["pixels"]
    first = window.client.get(url)
    assert first["Cache-Control"] == "private, max-age=31536000, immutable"
    assert window.client.get(url, headers={"If-None-Match": first["ETag"]}).status_code == 304
    plain = reverse("detection:pixels", args=[row.pk])
    assert window.client.get(plain)["Cache-Control"] == "private, no-cache"
    store(row, cutouts(2)[:, :-1])
    later = window.client.get(url)
    assert later["Cache-Control"] == "private, no-cache", "this address names what is no longer stored"
    assert later["ETag"] != first["ETag"]
    assert window.client.get(plain, headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_without_stored_pixels_the_item_is_still_there_and_the_address_says_what_to_do():
    row = DetectionFactory(cutouts_path="cutouts/gone.npy")
    DetectionFactory(cutouts_path="../outside.npy")
    window = Window()
    assert [item["pixels"] for item in window.take(2)["items"]] == [None, None]
    answer = window.client.get(reverse("detection:pixels", args=[row.pk]))
    assert answer.status_code == 404
    assert "run detection on its frame again" in answer.content.decode()


def test_a_get_at_the_script_s_addresses_is_refused():
    window = Window()
    for name in ("triage_next", "triage_answers", "triage_said", "triage_release", "triage_presence"):
        assert window.client.get(reverse(f"curation:{name}")).status_code == 405


def test_a_reason_names_no_field_of_the_form_and_programs_get_it_apart():
    refused = Window().answer(DetectionFactory(), confidence_level="sure", supersedes="x").json()
    assert "_" not in refused["detail"]
    assert set(refused["fields"]) == {"confidence_level", "supersedes"}
    assert set(AnswerForm.base_fields) == set(AnswerForm.in_words)


def test_the_event_says_what_was_on_screen():
    row = detection_with_cutouts()
    window = Window()
    [item] = window.take(1)["items"]
    assert item["context"]["cutouts"] in item["pixels"]
    window.answer(row, visible_context={**item["context"], **SHOWN, "stretch": "asinh"})
    assert ValidationEvent.objects.get().visible_context == {
        "blind": False, "answers_shown": 0, "score_shown": True, "cutouts": item["context"]["cutouts"],
        "stretch": "asinh", "origin": "pipeline", **SHOWN,
    }  # fmt: skip


def test_an_answer_can_be_taken_back_without_its_images():
    row, window = DetectionFactory(), Window()
    key = window.answer(row).json()["id"]
    told = window.answer(row, None, kind="withdrawal", supersedes=key, visible_context={})
    assert told.status_code == 201
    assert told.json()["opposed"] == []


def test_who_answers_the_opposite_is_told_and_who_agrees_is_not():
    row, window = DetectionFactory(), Window()
    first, second = judge(row, False), judge(row, True, "low", label="asteroid")
    told = window.answer(row, True).json()
    assert told["opposed"] == [f"{first.username} said bogus (high)"]
    assert told["others"] == [*told["opposed"], f"{second.username} said real, Asteroid (low)"]


def test_what_people_say_can_be_asked_for_again_and_leases_nothing():
    row, window = DetectionFactory(), Window()
    window.answer(row, False)
    other = judge(row, True, notes="<i>seen</i> before")
    told = window.send("triage_said", detection=str(row.pk)).json()
    assert told["own"]["said"] == "bogus (medium)"
    assert f"<strong>{other.username}</strong> real (high)" in told["said"]
    assert "<i>" not in told["said"]
    assert not Lease.objects.exists()
    assert window.send("triage_said", detection=NOBODYS).status_code == 404


def test_blind_nobody_is_told_before_their_own_answer():
    SystemConfig.objects.create(key="curation.blind", value=True)
    row, window = DetectionFactory(), Window()
    other = judge(row, True)
    hidden = window.send("triage_said", detection=str(row.pk)).json()
    assert other.username not in str(hidden)
    window.answer(row, False)
    assert other.username in window.send("triage_said", detection=str(row.pk)).json()["said"]


def test_an_empty_queue_tells_what_is_on_its_way():
    window = Window()
    first = ProcessingJobFactory(entity_type="observation")
    ProcessingJobFactory(entity_type="observation", entity_id=first.entity_id, job_type="difference")
    ProcessingJobFactory(entity_type="night")
    empty = window.take()["empty"]
    assert (empty["code"], empty["text"]) == (
        "in_work", "1 frame is being worked on. What is found in it will appear here.",
    )  # fmt: skip
    judge(DetectionFactory(), True)
    ProcessingJobFactory(entity_type="observation")
    empty = window.take()["empty"]
    assert (empty["code"], empty["text"][:32]) == ("done", "2 frames are being worked on. Wh")


def test_what_stands_in_while_the_server_is_away_knows_nothing_of_anybody(django_assert_num_queries):
    window = Window()
    with django_assert_num_queries(0):
        window.client.get(reverse("curation:triage_away"))
    page = window.client.get(reverse("curation:triage_away")).content.decode()
    assert window.user.username not in page
    assert "csrf" not in page
    script = window.client.get(reverse("curation:triage_worker"))
    assert script["Content-Type"].startswith("text/javascript")
    kept = re.findall(r"part=(/static/[^&\"]+)", window.page().content.decode())
    assert set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page)) <= set(kept), "what it is drawn with is kept too"
    assert reverse("curation:triage_worker").startswith(reverse("curation:triage")), "its address sets its reach"


def object_of(*scores: float) -> list[Detection]:
    """Return the detections of one source, each in a frame of its own, by time."""
    source = SourceFactory()
    rows = [detection_with_cutouts(source=source, confidence_score=score) for score in scores]
    for number, row in enumerate(rows):
        type(row.observation).objects.filter(pk=row.observation_id).update(mjd_utc=60000.0 + number / 100)
    return rows


def others_of(*rows: Detection, shown: str = "strip", **more) -> list[dict[str, str]]:
    return [{"id": str(uuid7()), "detection": str(row.pk), "shown": shown, **more} for row in rows]


def test_an_item_is_an_object_with_all_of_its_epochs_by_time():
    first, second, third = object_of(0.8, 0.95, 0.7)
    [item] = Window().take(4)["items"]
    assert item["id"] == str(second.pk)
    assert [epoch["id"] for epoch in item["epochs"]] == [str(row.pk) for row in (first, second, third)]
    assert all(epoch["is_open"] and UUID(epoch["id"]).hex in epoch["pixels"] for epoch in item["epochs"])
    assert [UUID(epoch["id"]).hex in item["all_pixels"] for epoch in item["epochs"]] == [True] * 3
    assert [epoch["when"] for epoch in item["epochs"]] == ["00:00", "00:14", "00:28"]
    assert item["unseen"] == []


def test_frames_without_it_stand_among_the_epochs_with_their_limit():
    row, other = object_of(0.9, 0.8)
    measured(row.source, -1.0, **AB)
    [item] = Window().take(1)["items"]
    assert [epoch["id"] for epoch in item["epochs"]] == [None, str(row.pk), str(other.pk)]
    assert item["epochs"][0]["brightness"] == "> 19.0"


def test_one_answer_is_about_all_epochs_and_is_one_group():
    lead, *rest = object_of(0.95, 0.8, 0.7)
    window, group = Window(), str(uuid7())
    window.take(1)
    answer = window.answer(lead, label="variable_star", group=group, others=others_of(*rest), was_held=True)
    assert answer.status_code == 201
    assert not answer.json()["has_lapsed"]
    events = ValidationEvent.objects.all()
    assert {str(event.group) for event in events} == {group}
    assert {event.detection_id: event.shown for event in events} == {
        lead.pk: "large", **{row.pk: "strip" for row in rest}
    }  # fmt: skip
    assert set(Detection.objects.values_list("status", "human_label")) == {("validated", "variable_star")}
    assert ProcessingJob.objects.filter(job_type="alerts").count() == 1, "the rule looks once at one source"
    assert not Lease.objects.exists()


def test_one_answer_that_is_sent_twice_counts_once_and_one_undo_takes_all_of_it_back():
    lead, *rest = object_of(0.95, 0.8, 0.7)
    window, group, others = Window(), str(uuid7()), others_of(*rest)
    window.take(1)
    key = str(uuid7())
    assert [window.answer(lead, id=key, group=group, others=others).status_code for _ in range(2)] == [201, 200]
    undone = others_of(*rest, shown="")
    for new, old in zip(undone, others, strict=True):
        new["supersedes"] = old["id"]
    back = window.answer(lead, kind="withdrawal", is_valid=None, supersedes=key, others=undone)
    assert back.json()["is_held"]
    assert sorted(Detection.objects.values_list("status", flat=True)) == ["pending", "pending", "validating"]
    assert ValidationEvent.objects.count() == 6


def test_of_an_answer_one_of_whose_epochs_is_refused_nothing_is_kept():
    lead, *rest = object_of(0.95, 0.8)
    others = [*others_of(*rest), *others_of(Detection(pk=uuid4()))]
    refused = Window().answer(lead, group=str(uuid7()), others=others)
    assert (refused.status_code, ValidationEvent.objects.count()) == (422, 0)


def test_epochs_that_cannot_be_read_are_refused_in_words():
    [lead] = object_of(0.95)
    refused = Window().answer(lead, others=[{"id": "x"}])
    assert refused.status_code == 422
    assert "the other epochs that it is about" in refused.json()["detail"]


def test_what_somebody_said_of_an_earlier_epoch_is_told_once_for_all_of_them():
    first, second, third = object_of(0.8, 0.95, 0.7)
    ada = judge(first, True, label="variable_star", person=UserFactory(username="ada"))
    judge(second, True, label="variable_star", person=ada)
    [item] = Window().take(1)["items"]
    assert item["id"] == str(third.pk)
    assert [epoch["is_open"] for epoch in item["epochs"]] == [False, False, True]
    assert re.search(r"<strong>ada</strong> real, .*, 2 epochs", item["html"])


def test_single_detections_are_reviewed_where_that_is_asked_for():
    rows = object_of(0.95, 0.8)
    window = Window()
    given = window.take(4, query="by=detection")
    assert [item["id"] for item in given["items"]] == [str(row.pk) for row in rows]
    assert given["remaining"] == 2
    [of_first, _] = given["items"]
    assert [epoch["is_open"] for epoch in of_first["epochs"]] == [True, False], "an answer is about the one alone"
    assert (
        'data-by-detection="true"'
        in window.client.get(reverse("curation:triage"), {"by": "detection"}).content.decode()
    )


def test_a_mover_says_how_it_moves():
    rows = object_of(0.95, 0.8)
    tracklet = TrackletFactory(rate_arcsec_per_min=0.36, position_angle=120.0)
    tracklet.members.set([row.candidate for row in rows])
    [item] = Window().take(1)["items"]
    assert "0.36″/min towards" in item["html"]
    assert len(item["epochs"]) == 2


def test_an_item_is_put_off_with_its_epochs_and_taken_back():
    source = SourceFactory()
    rows = [detection_with_cutouts(source=source, confidence_score=score) for score in (0.9, 0.8)]
    window, key = Window(), str(uuid7())
    window.take(1)
    others = [{"id": str(uuid7()), "detection": str(rows[1].pk)}]
    body = {"id": key, "detection": str(rows[0].pk), "kind": "snooze", "others": others}
    assert window.send("triage_deferrals", **body).json() == {"id": key}
    assert set(Deferral.objects.values_list("detection", flat=True)) == {row.pk for row in rows}
    given = window.take(1)
    assert (given["items"], given["remaining"], given["empty"]["code"]) == ([], 0, "put_off")
    assert ids(Window().take(1)) == [str(rows[0].pk)], "it is free for others"
    Lease.objects.all().delete()
    Detection.objects.update(status="pending")
    back = {"id": str(uuid7()), "detection": str(rows[0].pk), "kind": "withdrawal", "supersedes": key}
    answer = window.send("triage_deferrals", **back)
    assert (answer.status_code, answer.json()["is_held"]) == (201, True)


def test_who_asks_for_a_second_opinion_is_named_and_what_they_wrote_is_hidden_from_the_blind():
    row = detection_with_cutouts()
    one, other = Window(), Window()
    one.send("triage_deferrals", id=str(uuid7()), detection=str(row.pk), kind="opinion", notes="Ghost, I think")
    [item] = other.take(1, query="status=asked")["items"]
    assert f"{one.user.username} asks for a second opinion" in item["html"]
    assert "Ghost, I think" in item["html"]
    SystemConfig.objects.create(key="curation.blind", value=True)
    Lease.objects.all().delete()
    [item] = Window().take(1, one=str(row.pk))["items"]
    assert "asks for a second opinion" in item["html"]
    assert "Ghost, I think" not in item["html"]


def test_tags_and_grades_go_with_an_answer_and_are_offered_for_the_next():
    row, window = detection_with_cutouts(), Window()
    window.take(1)
    answer = window.answer(row, tags=["trail", " trail ", "double"], image_quality="poor", detection_quality="good")
    assert answer.status_code == 201, answer.content
    event = ValidationEvent.objects.get()
    assert (event.tags, event.image_quality, event.detection_quality) == (["trail", "double"], "poor", "good")
    assert '<option value="trail">' in re.sub(r"\s+", " ", Window().page().content.decode())


def test_a_frame_is_rejected_after_a_look_at_what_that_is_and_taken_back():
    row, window, group = detection_with_cutouts(), Window(), str(uuid4())
    address, asked = reverse("curation:triage_frame"), {"detection": str(row.pk)}
    preview = window.client.get(address, asked, headers={"HX-Request": "true"}).content.decode()
    assert "1 detection of 1 object will be called bogus" in re.sub(r"\s+", " ", preview)
    frame = reverse("observations:observation", args=[row.observation_id])
    assert window.client.get(address, asked)["Location"] == frame, "a part of a page is no page"
    done = window.send("triage_reject_frame", detection=str(row.pk), group=group)
    assert done.json() == {"detections": [str(row.pk)]}
    assert Detection.objects.get().status == "rejected"
    assert window.send("triage_reject_frame", detection=str(row.pk), group=str(uuid4())).status_code == 422
    assert window.send("triage_take_back_frame", group=group).json() == {"count": 1}
    assert Detection.objects.get().status == "pending"
