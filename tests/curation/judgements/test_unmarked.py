"""Nothing marks what was drawn from the hidden until a person has answered: not its page, list, place or origin."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from catalog.configuration.values import set_value
from catalog.people.audit import MACHINE
from curation.judgements import unmarked
from curation.triage import queue
from curation.triage.items import item_of
from curation.triage.queue import Holder, Queue
from curation.triage.review import reviews
from detection.models import Detection
from differencing.models import Candidate
from tests.clients import account, client_of
from tests.curation.looks import judge
from tests.factories import CandidateFactory, CandidateScoreFactory, DetectionFactory, UserFactory

pytestmark = pytest.mark.django_db
DETECTIONS = "/api/v1/detections/"


@pytest.fixture
def drawn() -> Detection:
    """A drawn one that comes between two others."""
    against = {"is_dipole": True, "vetoes": [{"code": "crowded", "value": 9.0, "message": "Among far more others."}]}
    DetectionFactory(confidence_score=0.9)
    DetectionFactory(confidence_score=0.7)
    return DetectionFactory(
        candidate=CandidateFactory(status="rejected", **against), source=None, origin="sampled",
        confidence_score=0.004, drawn_score=0.8, inclusion_probability=0.02,
        prediction_metadata={"reason": "It was drawn at random."},
    )  # fmt: skip


def another(**given) -> Detection:
    """Another drawn one, which waits."""
    return DetectionFactory(source=None, origin="sampled", drawn_score=0.6, inclusion_probability=0.02, **given)


def shape(value):
    """Return what a value looks like without what it says: which keys are filled in."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    return type(value).__name__


def shown(client, key) -> dict:
    return client.get(f"{DETECTIONS}{key}/").json()


def test_to_clients_it_looks_as_what_waits_beside_it(drawn):
    client = client_of("curator")
    rows = [shown(client, row.pk) for row in Detection.objects.all()]
    for name in ("origin", "confidence_score", "inclusion_probability", "prediction_metadata", "source", "status"):
        assert len({str(row[name]) for row in rows}) == 1, name
    assert (rows[0]["origin"], rows[0]["confidence_score"]) == ("pipeline", None)
    assert shape(rows[0]) == shape(rows[1]) == shape(rows[2])


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ("origin=sampled", 0), ("origin=pipeline", 3), ("confidence_score__lte=0.5", 0), ("score_max=0.5", 0),
        ("confidence_score__gte=0.75", 2), ("score_min=0.75&score_max=0.85", 1),
    ],
)  # fmt: skip
def test_no_filter_finds_it_apart(drawn, asked, count):
    assert len(client_of("curator").get(f"{DETECTIONS}?{asked}").json()["results"]) == count


def test_it_comes_at_its_drawn_place_in_the_queue_and_in_lists(drawn):
    holder = Holder(UserFactory(), drawn.pk)
    keys = queue.take(Queue("pending", Detection.objects.all()), holder, 3).keys
    assert keys[1] == drawn.pk
    assert queue.take(Queue("pending", Detection.objects.all()), Holder(UserFactory(), drawn.pk), 1).keys == []
    found = client_of("curator").get(f"{DETECTIONS}?ordering=-confidence_score").json()["results"]
    assert [row["id"] for row in found] == [str(key) for key in keys]


def test_the_item_tells_no_score_no_veto_and_no_origin_and_none_of_the_others_a_source(drawn):
    user = account("curator")
    for review in reviews(list(Detection.objects.values_list("pk", flat=True)), user):
        item = item_of(review, user, {})
        assert item["score"] is None and item["context"]["origin"] == "pipeline"
        assert "0.004" not in str(item) and "dipole" not in str(item) and "far more others" not in str(item)
        assert "/sources/" not in item["html"]


def test_pages_of_detections_do_not_tell_either(drawn):
    client = Client()
    client.force_login(account("curator"))
    for url in (reverse("curation:detections"), reverse("curation:detection", args=[drawn.pk])):
        page = client.get(url).content.decode()
        assert "sampled" not in page.replace('value="sampled"', "") and "0.004" not in page
        assert "far more others" not in page


def test_the_page_of_the_difference_shows_it_as_detected_until_ones_own_answer(drawn):
    user = account("curator")
    page = reverse("differencing:difference", args=[drawn.candidate.difference_run_id])
    client = Client()
    client.force_login(user)
    [before] = client.get(page).context["candidates"]
    assert (before.status, before.vetoes, before.is_dipole) == ("detected", [], False)
    judge(drawn, True, person=user)
    [after] = client.get(page).context["candidates"]
    assert (after.status, after.is_dipole) == ("rejected", True)


def test_clients_find_its_candidate_as_what_waits_beside_it(drawn):
    user, address = account("curator"), "/api/v1/candidates/"
    Candidate.objects.exclude(pk=drawn.candidate_id).update(status="detected")
    client = client_of(user)
    told = [client.get(f"{address}{row.candidate_id}/").json() for row in Detection.objects.all()]
    told += client.get(address).json()["results"]
    told += client.get(f"{address}?format=json").json()["results"]
    assert {(row["status"], row["is_dipole"], str(row["vetoes"])) for row in told} == {("detected", False, "[]")}
    for asked, count in (
        ("status=rejected", 0), ("status=detected", 3), ("status__in=rejected,linked", 0),
        ("status__in=rejected,detected", 3), ("is_dipole=true", 0), ("is_dipole=false", 3),
    ):  # fmt: skip
        assert len(client.get(f"{address}?{asked}").json()["results"]) == count, asked
    assert len(client_of("viewer").get(f"{address}?status=rejected&is_dipole=true").json()["results"]) == 1
    judge(drawn, True, person=user)
    another(candidate=CandidateFactory(status="detected"))
    assert [row["id"] for row in client.get(f"{address}?status=rejected").json()["results"]] == [
        str(drawn.candidate_id)
    ]


def test_no_score_is_told_of_what_waits_for_ones_own_answer(drawn):
    user, address = account("curator"), "/api/v1/candidate-scores/"
    for row in Detection.objects.all():
        CandidateScoreFactory(candidate=row.candidate, score=row.confidence_score)
    hidden = CandidateScoreFactory(candidate__status="rejected", score=0.001)
    client = client_of(user)
    assert [row["id"] for row in client.get(address).json()["results"]] == [str(hidden.pk)]
    assert client.get(f"{address}{drawn.candidate.scores.get().pk}/").status_code == 404
    assert len(client_of("viewer").get(address).json()["results"]) == 4
    judge(drawn, True, person=user)
    another()
    assert drawn.candidate_id in {UUID(row["candidate"]) for row in client.get(address).json()["results"]}


def test_after_ones_own_answer_all_is_told_and_again_not_to_others(drawn):
    person = account("curator")
    client, other = client_of(person), client_of("curator")
    judge(drawn, True, person=person)
    Detection.objects.filter(pk=drawn.pk).update(status="pending")
    told = shown(client, drawn.pk)
    assert (told["origin"], told["confidence_score"], told["inclusion_probability"]) == ("sampled", 0.004, 0.02)
    assert shown(other, drawn.pk)["origin"] == "pipeline"
    assert len(client.get(f"{DETECTIONS}?origin=sampled").json()["results"]) == 1
    assert client.get(f"{DETECTIONS}?origin=sampled&status=pending").json()["results"]


def test_who_judges_blind_is_not_told_by_what_others_decided(drawn):
    set_value("curation.blind", True, MACHINE)
    judge(drawn, False)
    assert drawn.status == "rejected"
    client = client_of("curator")
    assert shown(client, drawn.pk)["origin"] == "pipeline"
    assert not client.get(f"{DETECTIONS}?origin=sampled").json()["results"]


def test_who_judges_nothing_sees_everything_and_nothing_is_covered_where_no_drawn_one_waits(drawn):
    assert shown(client_of("viewer"), drawn.pk)["origin"] == "sampled"
    judge(drawn, False)
    client, row = client_of("curator"), Detection.objects.get(confidence_score=0.9)
    assert shown(client, row.pk)["confidence_score"] == 0.9
    assert not unmarked.is_covered(row)
