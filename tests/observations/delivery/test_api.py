"""From what a client hands in to what it became: by addresses alone, each of which opens."""

from __future__ import annotations

import io

import numpy as np
import pytest
from astropy.io import fits
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from catalog.work import jobs
from observations.models import IncomingFile, Observation
from tests.clients import client_of
from tests.lights import write

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(empty_data_root) -> Client:
    return client_of("operator")


def hand_in(client: Client, content: bytes, name: str) -> dict[str, str]:
    answer = client.post("/api/v1/observations/", {"file": SimpleUploadedFile(name, content)})
    assert answer.status_code == 202
    held = jobs.claim_next(["receive"], "me")
    assert held is not None
    jobs.do(held)
    told: dict[str, str] = answer.json()
    return told


def test_an_upload_leads_to_its_observation(client: Client, tmp_path):
    told = hand_in(client, write(tmp_path / "light.fits").read_bytes(), "light.fits")
    assert client.get(told["job"]).json()["entity_url"] == told["incoming_file"]
    file = client.get(told["incoming_file"]).json()
    assert file["id"] == told["incoming_file_id"]
    (result,) = file["results"]
    assert client.get(result["entity_url"]).json()["original_name"] == "light.fits"
    assert result["entity_id"] == str(Observation.objects.get().pk)
    assert [job["id"] for job in client.get(file["jobs"]).json()["results"]] == [told["job_id"]]


def test_of_a_file_with_several_images_each_says_what_became_of_it(client: Client, tmp_path):
    with fits.open(write(tmp_path / "light.fits")) as light:
        header, data = light[0].header.copy(), light[0].data
    bare = fits.ImageHDU(np.array(data))
    content = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(data, header), bare]).writeto(content)
    told = hand_in(client, content.getvalue(), "mosaic.fits")
    good, bad = client.get(told["incoming_file"]).json()["results"]
    assert client.get(good["entity_url"]).status_code == 200
    assert (good["hdu"], bad["hdu"], good["failure_code"], bad["entity_url"]) == (1, 2, "", None)
    assert bad["failure_code"] and bad["error_message"]


def test_a_file_that_is_no_fits_says_why_and_a_row_of_an_older_version_is_read(client: Client):
    told = hand_in(client, b"Dear diary, " * 1000, "letter.fits")
    (result,) = client.get(told["incoming_file"]).json()["results"]
    assert (result["failure_code"], result["entity_url"]) == ("not_fits", None)
    IncomingFile.objects.update(results=[{"hdu": "x"}, 3])
    results = client.get(told["incoming_file"]).json()["results"]
    assert [result["hdu"] for result in results] == [None, None]


def test_where_a_file_lies_on_the_way_is_told_to_nobody(client: Client):
    told = hand_in(client, b"Dear diary, " * 1000, "letter.fits")
    assert {"stored_path", "modified_ns", "request_key"}.isdisjoint(client.get(told["incoming_file"]).json())
