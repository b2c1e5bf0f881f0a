"""Surroundings on pages: as a page, as a part of another one, as pictures, on the detection's page and in triage."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from curation.triage.items import item_of
from curation.triage.review import reviews
from detection.models import ContextKind
from tests.differencing.images import run_with_images
from tests.factories import (
    CandidateFactory,
    ContextAreaFactory,
    ContextSourceFactory,
    DetectionFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]


@pytest.fixture
def client() -> Client:
    user = UserFactory()
    user.groups.add(Group.objects.get(name="curator"))
    browser = Client()
    browser.force_login(user)
    return browser


@pytest.fixture
def row():
    detection = DetectionFactory(candidate=CandidateFactory(difference_run=run_with_images()))
    area = ContextAreaFactory(kind=ContextKind.GALAXY, catalogue="GLADE")
    ContextSourceFactory(ra=detection.ra, dec=detection.dec + 2.1 / 3600.0, name="NGC <1>", area=area)
    return detection


SAID = "2.1″ from the nucleus of a G = 16.2 galaxy (NGC &lt;1&gt;)"


def test_it_is_a_page_and_for_scripts_the_part_of_it_that_they_show(client, row):
    url = reverse("detection:context", args=[row.pk])
    page, part = client.get(url), client.get(url, headers={"HX-Request": "true"})
    assert "<html" in page.content.decode() and "<html" not in part.content.decode()
    assert "HX-Request" in part["Vary"]
    for answer in (page, part):
        assert SAID in answer.content.decode()
        assert reverse("detection:context_picture", args=[row.pk, "reference"]) in answer.content.decode()


def test_it_stands_on_the_detection_s_page_with_links_that_open_elsewhere(client, row):
    html = client.get(reverse("curation:detection", args=[row.pk])).content.decode()
    assert SAID in html
    assert "Galactic latitude" in html
    assert html.count('rel="noopener noreferrer"') == 7
    assert reverse("detection:finding_chart", args=[row.pk, "pdf"]) in html


def test_triage_has_it_among_the_facts(client, row):
    user = UserFactory(is_superuser=True)
    (review,) = reviews([row.pk], user)
    html = item_of(review, user, {})["html"]
    assert SAID in html and review.context.facts.line in html
    assert f'data-context="{row.pk}"' in html
    # What is one key away, so that all facts fit the screen.
    around = client.get(reverse("detection:context", args=[row.pk]), headers={"HX-Request": "true"})
    assert "simbad" in around.content.decode()


def test_pictures_are_asked_for_again_only_when_they_have_changed(client, row):
    url = reverse("detection:context_picture", args=[row.pk, "science"])
    first = client.get(url)
    assert first["Content-Type"] == "image/png"
    assert client.get(url, headers={"If-None-Match": first["ETag"]}).status_code == 304
    assert client.get(url.replace("science", "score")).status_code == 404


def test_the_chart_comes_as_what_it_is_asked_for(client, row):
    for form, kind in (("png", "image/png"), ("pdf", "application/pdf")):
        answer = client.get(reverse("detection:finding_chart", args=[row.pk, form]))
        assert (answer.status_code, answer["Content-Type"]) == (200, kind)
        assert f'.{form}"' in answer["Content-Disposition"]
    assert client.get(reverse("detection:finding_chart", args=[row.pk, "svg"])).status_code == 404


def test_without_images_the_page_says_why_there_is_no_picture(client):
    row = DetectionFactory()
    html = client.get(reverse("detection:context", args=[row.pk])).content.decode()
    assert "There is no wide picture." in html and "process the frame again" in html
    assert client.get(reverse("detection:context_picture", args=[row.pk, "science"])).status_code == 404
