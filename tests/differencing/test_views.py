"""The page of a difference."""

from __future__ import annotations

import io

import pytest
from django.urls import reverse
from PIL import Image

from catalog import storage
from tests.differencing.stored import stored_difference
from tests.factories import CandidateFactory, DetectionFactory, DifferenceRunFactory
from tests.page_clients import client_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]


def page(run):
    return client_of("viewer").get(reverse("differencing:difference", args=[run.pk])).content.decode()


@pytest.mark.parametrize("kind", ["science", "reference", "difference", "score"])
def test_each_image_is_drawn_kept_and_told_to_be_unchanged(kind):
    run = stored_difference()
    client, address = client_of("viewer"), reverse("differencing:picture", args=[run.pk, kind])
    answer = client.get(address)
    assert Image.open(io.BytesIO(answer.content)).size == (64, 48)
    for path in (run.difference_image_path, run.significance_map_path, run.reference_aligned_path):
        storage.remove(path)
    assert client.get(address).content == answer.content
    assert client.get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 304


def test_images_that_are_gone_are_told_to_be_gone():
    run = DifferenceRunFactory(difference_image_path="differences/gone.fits")
    client = client_of("viewer")
    assert client.get(reverse("differencing:picture", args=[run.pk, "difference"])).status_code == 404
    assert client.get(reverse("differencing:picture", args=[run.pk, "secret"])).status_code == 404
    assert "There are no images." in page(run)


def test_a_ring_lies_where_the_candidate_is_counted_from_the_lower_left():
    run = stored_difference()
    CandidateFactory(difference_run=run, pixel_x=10.0, pixel_y=3.25, is_negative=True, snr=-12.5, significance=-12.0)
    text = page(run)
    assert 'cx="10.5" cy="44.25"' in text
    assert "negative" in text
    assert "−12.5" in text


def test_the_most_significant_come_first_whatever_their_sign():
    run = stored_difference()
    for significance in (6.0, -30.0, 12.0):
        CandidateFactory(difference_run=run, significance=significance)
    text = page(run)
    assert text.index("−30.0 σ") < text.index("+12.0 σ") < text.index("+6.0 σ")


def test_a_detected_candidate_leads_to_its_detection():
    run = stored_difference()
    candidate = CandidateFactory(difference_run=run, status="detected")
    row = DetectionFactory(candidate=candidate)
    client, address = client_of("viewer"), reverse("detection:of_candidate", args=[candidate.pk])
    assert address in page(run)
    assert client.get(address)["Location"] == reverse("curation:detection", args=[row.pk])
    assert client.get(reverse("detection:of_candidate", args=[CandidateFactory().pk])).status_code == 404


def test_the_differences_of_a_frame_are_a_part_of_its_page():
    run = stored_difference()
    text = client_of("viewer").get(reverse("differencing:runs_of", args=[run.observation_id])).content.decode()
    assert reverse("differencing:difference", args=[run.pk]) in text
    assert "<html" not in text
