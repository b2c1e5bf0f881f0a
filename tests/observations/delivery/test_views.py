"""What is told of files before they are uploaded."""

from __future__ import annotations

import gzip

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from observations.models import Observation
from tests.browsers import client_of
from tests.observations.delivery.test_ingest import write

pytestmark = pytest.mark.django_db
ADDRESS = "observations:inspect"


def asked(content: bytes, role: str = "operator", **more: str):
    given = {"name": "light.fits", "beginning": SimpleUploadedFile("light.fits", content), **more}
    return client_of(role).post(reverse(ADDRESS), given)


def test_the_first_bytes_of_a_file_are_enough_to_tell_what_its_header_says(tmp_path):
    content = write(tmp_path / "light.fits", DATE_OBS=("2024-03-01T21:00:00", "local time")).read_bytes()
    for beginning in (content[:6000], gzip.compress(content)[:3000]):
        text = asked(beginning).content.decode()
        assert "local time" in text and "no time of observation" in text and "utc_offset_hours" in text
    told = asked(content[:6000], utc_offset_hours="-3").content.decode()
    assert "2024-03-02 00:00:00" in told and "no time of observation" not in told
    assert not Observation.objects.exists()


def test_what_is_no_fits_file_is_said_and_a_viewer_may_not_ask(tmp_path):
    assert "does not begin like a FITS file" in asked(b"hello").content.decode()
    assert asked(b"hello", role="viewer").status_code == 403
    assert asked(b"x" * (2**20 + 1)).status_code == 422
