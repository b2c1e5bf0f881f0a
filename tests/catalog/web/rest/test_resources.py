"""What a job or a line of the audit log is about can be read where it says."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.test import RequestFactory

from catalog.configuration.values import set_value
from catalog.models import AuditLog, ProcessingJob
from catalog.people import audit
from catalog.web.rest.resources import RESOURCES, address_of
from tests import factories
from tests.clients import client_of
from tests.routes import ROUTES

pytestmark = pytest.mark.django_db


def opened(entity_type: str, entity_id: object) -> Any:
    """Return what stands where a job about this says that it is."""
    client = client_of("administrator")
    factories.ProcessingJobFactory(entity_type=entity_type, entity_id=str(entity_id))
    job = client.get(f"/api/v1/processing-jobs/?entity_type={entity_type}").json()["results"][0]
    answer = client.get(job["entity_url"])
    assert answer.status_code == 200
    return answer.json()


@pytest.mark.parametrize("entity_type", ["observation", "field", "source"])
def test_a_job_leads_to_the_row_that_it_works_on(entity_type: str):
    row = getattr(factories, f"{entity_type.capitalize()}Factory")()
    assert opened(entity_type, row.pk)["id"] == str(row.pk)


def test_a_job_of_a_night_leads_to_its_frames():
    row = factories.ObservationFactory()
    assert [found["id"] for found in opened("night", row.night.isoformat())["results"]] == [str(row.pk)]


def test_a_job_of_a_field_s_night_leads_to_its_tracklets():
    row, _ = factories.TrackletFactory(), factories.TrackletFactory()
    found = opened("field_night", f"{row.field_id}/{row.night.isoformat()}")["results"]
    assert [entry["id"] for entry in found] == [str(row.pk)]


def test_a_job_of_a_workflow_leads_to_its_jobs():
    job = factories.ProcessingJobFactory(workflow_id="w1", entity_type="observation")
    assert str(job.pk) in {found["id"] for found in opened("workflow", "w1")["results"]}


@pytest.mark.parametrize(("kind", "key"), [("file", "ab12"), ("model", "real-bogus 2"), ("ghost", "1"), ("source", "")])
def test_what_is_no_row_for_clients_has_no_address(kind: str, key: str):
    assert address_of(kind, key, RequestFactory().get("/")) is None


def test_every_line_of_the_audit_log_about_a_row_leads_there():
    client = client_of("administrator")
    set_value("alerts.automatic", False, audit.MACHINE)
    audit.record(factories.AlertFactory(), "look")
    lines = client.get("/api/v1/audit-log/").json()["results"]
    assert (
        {line["entity_type"] for line in lines}
        == {"apitoken", "systemconfig", "alert"}
        == {line.entity_type for line in AuditLog.objects.all()}
    )
    for line in lines:
        answer = client.get(line["entity_url"])
        assert answer.status_code == 200, line
        assert answer.json().get("id", line["entity_id"]) == line["entity_id"]
    assert not ProcessingJob.objects.exists()


def test_every_list_of_the_table_is_there_and_of_the_model_that_it_is_said_to_be():
    models = {model._meta.model_name for model in apps.get_models()}
    assert models >= RESOURCES.keys()
    assert {f"api:{name}-detail" for name in RESOURCES.values()} <= ROUTES.keys()
