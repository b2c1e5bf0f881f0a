"""The list of what was rejected, and the way from there to people."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from detection.models import Detection, Model
from tests.curation.cutouts import detection_with_cutouts
from tests.factories import CandidateFactory, CandidateScoreFactory, DetectionFactory, ModelFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]

VETO = {"code": "hot_pixel", "value": 3.0, "message": "It is a hot pixel."}


def client(role: str = "curator") -> Client:
    user = UserFactory()
    user.groups.add(Group.objects.get(name=role))
    browser = Client()
    browser.force_login(user)
    return browser


def scored(score: float, **given):
    model = Model.objects.first() or ModelFactory(is_active=True, model_path="models/a.pt", weights_sha256="a" * 64)
    candidate = CandidateFactory(status="rejected", **given)
    return CandidateScoreFactory(candidate=candidate, model_run__model=model, score=score).candidate


def listed(page) -> list[object]:
    return [row.candidate_id for row in page.context["page"].rows]


def test_the_rejected_are_listed_best_first_with_what_speaks_against_them():
    low, high = scored(0.1), scored(0.4, vetoes=[VETO])
    DetectionFactory()
    page = client().get(reverse("detection:below_cut"))
    assert listed(page) == [high.pk, low.pk]
    assert "It is a hot pixel." in page.content.decode()
    assert "its score alone" in page.content.decode()


def test_the_list_is_narrowed_by_reason_score_and_signal():
    plain, vetoed = scored(0.1, snr=9.0), scored(0.4, snr=5.5, vetoes=[VETO])
    browser, url = client(), reverse("detection:below_cut")
    for query, found in (
        ({"reason": "score"}, plain),
        ({"reason": "veto"}, vetoed),
        ({"score_min": "0.3"}, vetoed),
        ({"score_max": "0.3"}, plain),
        ({"snr_min": "8"}, plain),
    ):
        assert listed(browser.get(url, query)) == [found.pk], query


def test_ticked_ones_await_review_and_the_page_leads_there():
    first, second = scored(0.4), scored(0.3)
    browser = client()
    page = browser.post(reverse("detection:promote"), {"candidate": [str(first.pk), str(second.pk)]}, follow=True)
    assert "2 candidates await review now" in page.content.decode()
    assert "/triage/?origin=promoted" in page.content.decode()
    assert Detection.objects.filter(origin="promoted", status="pending").count() == 2
    assert listed(page) == []


def test_whoever_promotes_comes_back_to_the_page_they_were_on_and_to_no_other_site():
    url = reverse("detection:below_cut") + "?score_min=0.1"
    browser = client()
    assert browser.post(reverse("detection:promote"), {"next": url}).url == url
    away = browser.post(reverse("detection:promote"), {"next": "https://example.org/"})
    assert away.url == reverse("detection:below_cut")


@pytest.mark.parametrize("sent", [[], ["x"], ["01a224ba-41c8-74cc-95c5-320ffe65b3e8"]])
def test_what_cannot_be_promoted_is_told(sent):
    page = client().post(reverse("detection:promote"), {"candidate": sent}, follow=True)
    assert page.context["messages"]
    assert not Detection.objects.exists()


def test_a_viewer_sees_the_list_and_promotes_nothing():
    candidate = scored(0.4)
    browser = client("viewer")
    page = browser.get(reverse("detection:below_cut"))
    assert "Promote" not in page.content.decode()
    assert browser.post(reverse("detection:promote"), {"candidate": [str(candidate.pk)]}).status_code == 403


def test_a_candidate_shows_its_cutouts_before_it_is_a_detection():
    row = detection_with_cutouts()
    picture = client().get(reverse("detection:candidate_cutouts", args=[row.candidate_id]))
    assert picture["Content-Type"] == "image/png"
    lost = client().get(reverse("detection:candidate_cutouts", args=[scored(0.2).pk]))
    assert lost.status_code == 404
