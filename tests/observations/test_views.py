"""The pages of frames and of handing them in."""

from __future__ import annotations

import io

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image

from catalog import storage
from catalog.models import AuditLog, JobStatus, ProcessingJob
from observations.models import IncomingFile, Observation, ObservationStatus
from tests.factories import FieldFactory, ObservationFactory, PreprocessRunFactory
from tests.observations.stored import fits_bytes, stored_frame
from tests.page_clients import client_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
LIST = "observations:observations"


def shown(client, **query):
    return [row.observation_id for row in client.get(reverse(LIST), query).context["page"].rows]


def test_frames_are_narrowed_and_the_newest_comes_first():
    field = FieldFactory(name="M31")
    ObservationFactory(observation_id="a1", status=ObservationStatus.DIFFERENCED, filter_band="V", field=field)
    ObservationFactory(observation_id="b2", night="2024-05-05")
    client = client_of("viewer")
    assert shown(client) == ["b2", "a1"]
    for query in (
        {"status": "differenced"},
        {"filter_band": "V"},
        {"field": "m31"},
        {"name": "a"},
        {"night_to": "2024-04-01"},
    ):
        assert shown(client, **query) == ["a1"]
    assert shown(client, night_from="soon") == []


def test_the_list_takes_as_many_queries_for_forty_as_for_two():
    client, counts = client_of("viewer"), []
    for number in (2, 38):
        ObservationFactory.create_batch(number, field=FieldFactory())
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse(LIST))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_frame_is_drawn_once_kept_and_told_to_be_unchanged():
    row = stored_frame()
    client, address = client_of("viewer"), reverse("observations:preview", args=[row.pk, "small"])
    answer = client.get(address)
    assert Image.open(io.BytesIO(answer.content)).size == (64, 48)
    # The raw file is not needed a second time.
    storage.remove(row.fits_file_path)
    assert client.get(address).content == answer.content
    assert client.get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    assert client.get(reverse("observations:preview", args=[row.pk, "huge"])).status_code == 404


def test_a_frame_whose_file_is_gone_has_a_page_and_no_picture():
    row = ObservationFactory(fits_file_path="raw/gone.fits")
    client = client_of("viewer")
    assert client.get(reverse("observations:preview", args=[row.pk, "large"])).status_code == 404
    assert client.get(reverse("observations:observation", args=[row.pk])).status_code == 200


def test_a_header_shows_as_text_and_what_is_missing_as_missing():
    row = ObservationFactory(
        header={"OBSERVER": HOSTILE, "NOTE": "a\x1bb"},
        original_name=HOSTILE,
        object_name=HOSTILE,
        airmass=None,
        seeing=None,
    )
    client = client_of("viewer")
    for address in (reverse("observations:observation", args=[row.pk]), reverse(LIST)):
        text = client.get(address).content.decode()
        assert "&lt;script&gt;alert(1)" in text
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "\x1b" not in text
        assert "None" not in text
    assert "U+001B" in client.get(reverse("observations:observation", args=[row.pk])).content.decode()


def test_an_operator_archives_a_frame_and_takes_it_back():
    row = ObservationFactory(status=ObservationStatus.DIFFERENCED)
    client = client_of("operator", username="olga")
    client.post(reverse("observations:archive", args=[row.pk]))
    assert Observation.objects.get().status == ObservationStatus.ARCHIVED
    page = client.get(reverse("observations:observation", args=[row.pk])).content.decode()
    assert "Take back" in page
    assert "Reprocess" not in page
    client.post(reverse("observations:take_back", args=[row.pk]))
    assert Observation.objects.get().status == ObservationStatus.DIFFERENCED
    assert set(AuditLog.objects.exclude(user="").values_list("user", flat=True)) == {"olga"}
    again = client.post(reverse("observations:take_back", args=[row.pk]), follow=True)
    assert "is not archived" in again.content.decode()
    client.post(reverse("observations:reprocess", args=[row.pk]))
    assert ProcessingJob.objects.get().job_type == "preprocess"


def test_what_was_measured_is_a_part_of_its_own():
    run = PreprocessRunFactory(fwhm_px=3.25, masked_share=0.02, zero_point_mag=None)
    text = client_of("viewer").get(reverse("preprocessing:runs_of", args=[run.observation_id])).content.decode()
    assert "3.25 px" in text
    assert "not known" in text
    assert "<html" not in text


def test_an_upload_becomes_a_row_and_a_job_of_who_sent_it():
    client = client_of("operator", username="olga")
    file = io.BytesIO(fits_bytes(np.ones((8, 8))))
    file.name = "m31.fits"
    answer = client.post(reverse("observations:upload"), {"files": file, "ra_deg": "0", "dec_deg": "-5.5"}, follow=True)
    assert "Handed in" in answer.content.decode()
    row = IncomingFile.objects.get()
    # Zero hours is a position, and no missing value.
    assert row.overrides == {"ra_deg": 0.0, "dec_deg": -5.5}
    assert ProcessingJob.objects.get(job_type="receive").entity_id == str(row.pk)
    assert "m31.fits" in answer.content.decode()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({}, "Choose a file, or give an address."),
        ({"fits_url": "nonsense"}, "Enter a valid URL."),
        ({"fits_url": "ftp://example.org/a.fits"}, "http"),
        ({"fits_url": "https://example.org/a.fits", "ra_deg": "10"}, "A position needs both RA and Dec."),
        ({"fits_url": "https://example.org/a.fits", "ra_deg": "400", "dec_deg": "0"}, "less than or equal to 360"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_words_and_kept_in_the_form(data, reason):
    text = client_of("operator").post(reverse("observations:upload"), data).content.decode()
    assert reason in text
    assert data.get("fits_url", "") in text
    script = client_of("operator").post(reverse("observations:upload"), data, headers={"X-Requested-With": "fetch"})
    assert script.status_code == 422
    assert reason in " ".join(script.json()["refusals"])
    assert not IncomingFile.objects.exists()


def test_a_refused_file_says_why_and_one_on_its_way_asks_for_itself_anew():
    client = client_of("operator")
    client.post(reverse("observations:upload"), {"fits_url": "https://example.org/a.fits"})
    row = IncomingFile.objects.get()
    address = reverse("observations:delivery", args=[row.pk])
    assert "every 1s" in client.get(address).content.decode()
    ProcessingJob.objects.update(
        status=JobStatus.FAILED, failure_code="not_fits", error_message="This is a web page, not a FITS file."
    )
    text = client.get(address).content.decode()
    assert "This is a web page, not a FITS file." in text
    assert "every 1s" not in text
