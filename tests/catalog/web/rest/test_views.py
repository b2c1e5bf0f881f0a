"""What every address for clients refuses, and in what words."""

from __future__ import annotations

import json

import pytest
from django.core.cache import cache

from tests.clients import client_of, refused
from tests.factories import ProcessingJobFactory, SurveyFactory

pytestmark = pytest.mark.django_db
JOBS, JUDGEMENTS = "/api/v1/processing-jobs/", "/api/v1/validation-events/"


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("stauts=failed", "stauts: There is no such parameter here"),
        ("status=faled", "status: Select a valid choice"),
        ("status=", "status: Give a value"),
        ("status=failed&status=pending", "status: Give it once"),
        ("status__in=failed,faled", "status__in"),
        ("created_at__gte=yesterday", "created_at__gte: Enter a valid date/time"),
        ("created_at__gte=2024-01-01T00:00:00+00:00", "created_at__gte: Enter a valid date/time"),
        ("page_size=0", "page_size: Give a whole number from 1 to 1000"),
        ("page_size=1001", "page_size"),
        ("page_size=1e2", "page_size"),
        ("page_size=²", "page_size"),
        ("ordering=owner", "ordering: Choose one of -id, id"),
        ("ordering=-id,id", "ordering"),
        ("format=xml", "format: Choose one of json, csv, votable, parquet"),
        ("entity_type=%00", "entity_type: Null characters"),
        ("observation__survey=x", "observation__survey: There is no such parameter"),
    ],
)  # fmt: skip
def test_a_parameter_that_cannot_be_read_is_told_and_never_passed_over(query, sentence):
    ProcessingJobFactory()
    assert sentence in refused(client_of("viewer").get(f"{JOBS}?{query}"), 400, "invalid")


@pytest.mark.parametrize("cursor", ["abc", "\0"])
def test_a_cursor_that_leads_nowhere_is_told(cursor):
    told = refused(client_of("viewer").get(JOBS, {"cursor": cursor}), 404, "not_found")
    assert "cursor: This cursor does not belong to this list" in told


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"id": NaN}',
        b'{"id": 1e999}',
        b'{"id": ' + b"9" * 5000 + b"}",
        b"{'id': 1}",
    ],
    ids=lambda body: body[:12].decode("latin-1"),
)
def test_what_is_no_json_is_refused(body):
    refused(client_of("curator").post(JUDGEMENTS, body, content_type="application/json"), 400, "parse_error")


@pytest.mark.parametrize(
    "body", ["null", "[]", "3", '"text"', '{"id": "\\ud800"}', '{"\\ud800": 1}', '{"notes": "\\u0000"}']
)
def test_json_that_is_something_else_is_refused(body):
    refused(client_of("curator").post(JUDGEMENTS, body, content_type="application/json"), 400, "invalid")


def test_other_kinds_of_bodies_are_refused():
    client = client_of("curator")
    refused(client.post(JUDGEMENTS, {"id": "x"}), 415, "unsupported_media_type")
    refused(
        client.post(JUDGEMENTS, "a=b", content_type="application/x-www-form-urlencoded"), 415, "unsupported_media_type"
    )


def test_a_body_that_is_too_large_is_refused(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = json.dumps({"notes": "x" * 1000})
    refused(client_of("curator").post(JUDGEMENTS, body, content_type="application/json"), 413, "too_large")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_what_is_not_done_here_is_refused(method):
    survey = SurveyFactory()
    client = client_of("administrator")
    refused(getattr(client, method)(f"/api/v1/surveys/{survey.pk}/"), 405, "method_not_allowed")
    if method != "post":
        answer = getattr(client, method)("/api/v1/surveys/")
        refused(answer, 405, "method_not_allowed")
        assert answer["Allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path", ["nothing/", "surveys/nothing/", "surveys/00000000-0000-0000-0000-000000000000/", "%00/"]
)
def test_what_is_not_there_is_told_as_a_problem(path):
    refused(client_of("viewer").get(f"/api/v1/{path}"), 404, "not_found")


def test_a_fault_of_the_program_is_told_as_a_problem_without_its_inside(client, monkeypatch, caplog):
    client = client_of("viewer")
    client.raise_request_exception = False

    def fail(*_, **__):
        raise RuntimeError("the secret inside")

    monkeypatch.setattr("catalog.web.rest.paging.page_of", fail)
    answer = client.get(JOBS)
    refused(answer, 500, "internal_error")
    assert b"inside" not in answer.content
    assert "the secret inside" in caplog.text


def test_the_root_names_what_a_role_may_read():
    viewer, administrator = (client_of(role).get("/api/v1/").json() for role in ("viewer", "administrator"))
    assert viewer["observations"] == "http://testserver/api/v1/observations/"
    private = {
        "system-config", "audit-log", "accounts", "api-tokens", "incoming-files", "subscriptions", "deliveries",
        "archives", "archive-runs", "archive-products", "archive-hosts", "reports", "report-rows", "report-attempts",
    }  # fmt: skip
    assert administrator.keys() - viewer.keys() == private


def test_answers_are_not_kept_by_anybody_between():
    answer = client_of("viewer").get(JOBS)
    assert answer["Cache-Control"] == "private, no-cache"
    assert answer["Vary"].startswith("Authorization, Cookie")


def test_counts_have_room_for_very_many_clients():
    for number in range(2000):
        cache.set(f"throttle:test:{number}", 1)
    assert all(cache.get(f"throttle:test:{number}") for number in range(2000))
    cache.clear()


def test_a_post_to_an_address_without_its_slash_is_sent_on_as_a_post():
    answer = client_of("curator").post(JUDGEMENTS.rstrip("/"), {}, content_type="application/json")
    assert (answer.status_code, answer["Location"]) == (308, JUDGEMENTS)


@pytest.mark.parametrize(
    "moment", ["0133-08-09T09:33:53-20:09", "9999-12-31T23:59:59+14:00", "0001-01-01T00:00:00+14:00"]
)
def test_no_moment_is_too_strange_for_the_database(moment):
    assert client_of("viewer").get(JOBS, {"created_at__gt": moment, "created_at__lt": moment}).status_code == 200


@pytest.mark.parametrize("method", ["trace", "put"])
def test_a_method_that_is_not_served_is_refused_for_that_and_not_for_its_parameters(method):
    answer = getattr(client_of("operator"), method)(f"{JOBS}?status=failed")
    refused(answer, 405, "method_not_allowed")
