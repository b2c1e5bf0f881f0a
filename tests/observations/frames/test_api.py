"""Frames handed in by programs: by upload and by address, each taken in by a job."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from catalog.configuration import values
from catalog.files import storage
from catalog.models import AuditLog, ProcessingJob
from catalog.people import audit
from observations.delivery import incoming, stage
from observations.models import IncomingFile, Observation, Survey
from tests.clients import account, client_of
from tests.factories import ObservationFactory, SurveyFactory
from tests.lights import write

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]
OBSERVATIONS = "/api/v1/observations/"


def hand_in(client, **given):
    return client.post(OBSERVATIONS, given, content_type="application/json")


def test_an_upload_is_kept_and_the_job_that_takes_it_in_is_told():
    user = account("operator")
    client = client_of(user)
    answer = client.post(
        OBSERVATIONS, {"file": SimpleUploadedFile("light.fits", b"x" * 5000), "filter_band": "R", "exposure_time": "60"}
    )
    assert answer.status_code == 202
    row, job = IncomingFile.objects.get(), ProcessingJob.objects.get()
    assert answer.json() == {
        "job": f"http://testserver/api/v1/processing-jobs/{job.pk}/", "job_id": str(job.pk), "name": "light.fits",
        "incoming_file": f"http://testserver/api/v1/incoming-files/{row.pk}/", "incoming_file_id": str(row.pk),
    }  # fmt: skip
    assert answer["Location"] == answer.json()["job"]
    assert client.get(answer["Location"]).json()["status"] == "pending"
    assert (row.submitted_by, row.overrides) == (user, {"band": "R", "exposure_s": 60.0})
    assert storage.resolve(row.stored_path).read_bytes() == b"x" * 5000
    assert AuditLog.objects.get(action="submit_file").user == user.username


def test_the_address_of_a_file_is_remembered_with_its_survey():
    survey = SurveyFactory(name="elsewhere")
    client = client_of("operator")
    for name in ("elsewhere", str(survey.pk)):
        answer = hand_in(client, fits_url="https://archive.example.org/a/light.fits", survey=name)
        assert answer.status_code == 202
    assert {row.survey for row in IncomingFile.objects.all()} == {survey}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "fits_url"),
        ({"fits_url": "ftp://example.org/a.fits"}, "fits_url"),
        ({"fits_url": "https://name:secret@example.org/a.fits"}, "fits_url"),
        ({"fits_url": "https://example.org:99999/a.fits"}, "fits_url"),
        ({"fits_url": 5}, "fits_url"),
        ({"fits_url": "https://example.org/a.fits", "ra": 361}, "ra"),
        ({"fits_url": "https://example.org/a.fits", "ra": 36}, "request"),
        ({"fits_url": "https://example.org/a.fits", "dec": True}, "dec"),
        ({"fits_url": "https://example.org/a.fits", "exposure_time": 0}, "exposure_time"),
        ({"fits_url": "https://example.org/a.fits", "observation_time": "yesterday"}, "observation_time"),
        ({"fits_url": "https://example.org/a.fits", "fits_file_path": "/etc/passwd"}, "fits_file_path"),
    ],
    ids=str,
)
def test_what_cannot_be_taken_is_told_by_field_and_orders_nothing(given, field):
    answer = hand_in(client_of("operator"), **given)
    assert answer.status_code == 400 and field in answer.json()["errors"], answer.json()
    assert not ProcessingJob.objects.exists()


def test_a_survey_that_is_not_there_is_told_and_orders_nothing():
    answer = hand_in(client_of("operator"), fits_url="https://example.org/a.fits", survey="nobody")
    assert (answer.status_code, list(answer.json()["errors"])) == (404, ["survey"])
    assert not ProcessingJob.objects.exists()


@pytest.mark.parametrize("number", ["inf", "nan", "-inf", "x", ""])
def test_a_number_in_a_form_is_one(number):
    answer = client_of("operator").post(OBSERVATIONS, {"file": SimpleUploadedFile("a.fits", b"x"), "ra": number})
    assert answer.status_code == 400 and "ra" in answer.json()["errors"]


def test_an_upload_without_a_file_or_with_an_empty_one_is_refused():
    client = client_of("operator")
    for form in ({"survey": "local"}, {"file": SimpleUploadedFile("a.fits", b"")}, {"file": "text"}):
        answer = client.post(OBSERVATIONS, form)
        assert answer.status_code == 400, answer.content
    assert not IncomingFile.objects.exists()


def test_a_file_that_is_too_large_is_refused_and_leaves_nothing(empty_data_root):
    values.set_value("ingest.max_file_mb", 1, audit.MACHINE)
    answer = client_of("operator").post(OBSERVATIONS, {"file": SimpleUploadedFile("a.fits", b"x" * 1_000_001)})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert "1 MB" in answer.json()["detail"]
    assert not IncomingFile.objects.exists()
    assert not [path for path in (empty_data_root / "incoming").rglob("*") if path.is_file()]


def test_where_there_is_no_room_it_is_said(monkeypatch):
    def full(*_, **__):
        raise storage.StorageFull("No room for a.fits: No space left on device.")

    monkeypatch.setattr(incoming.storage, "room_for", full)
    answer = client_of("operator").post(OBSERVATIONS, {"file": SimpleUploadedFile("a.fits", b"x")})
    assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")


def test_a_frame_that_was_fetched_belongs_to_the_survey_that_was_named(monkeypatch, tmp_path):
    survey = SurveyFactory(name="elsewhere")
    hand_in(client_of("operator"), fits_url="https://archive.example.org/light.fits", survey="elsewhere")
    content = write(tmp_path / "light.fits").read_bytes()

    def fetch(_url, target, *_, **_more):
        target.parent.mkdir(parents=True)
        target.write_bytes(content)
        return len(content)

    monkeypatch.setattr(stage, "fetch_on", fetch)
    stage.run(str(IncomingFile.objects.get().pk))
    assert Observation.objects.get().survey == survey
    assert not Survey.objects.filter(name="local").exists()


def test_headers_are_in_the_answer_of_one_frame_and_not_in_lists(django_assert_max_num_queries):
    row = ObservationFactory(header={"OBJECT": "M31"})
    client = client_of("viewer")
    assert client.get(f"{OBSERVATIONS}{row.pk}/").json()["header"] == {"OBJECT": "M31"}
    with django_assert_max_num_queries(5):
        (listed,) = client.get(OBSERVATIONS).json()["results"]
    assert "header" not in listed and listed["fits_url"] == ""


def test_frames_are_found_by_time_and_state():
    early, late = ObservationFactory(observation_time="2024-01-01T00:00:00Z"), ObservationFactory(status="archived")
    client = client_of("viewer")
    for query, expected in (
        ("observation_time__lt=2024-02-01T00:00:00Z", early),
        ("status=archived", late),
        (f"observation_id={early.observation_id}", early),
        ("night__lte=1999-12-31", None),
    ):
        found = [row["id"] for row in client.get(f"{OBSERVATIONS}?{query}").json()["results"]]
        assert found == ([str(expected.pk)] if expected else []), query
