from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from catalog.models import ProcessingJob, Record
from curation.models import LabelDefinition
from tests.browsers import page, staff_of
from tests.factories import (
    AlertFactory,
    CalibrationFrameFactory,
    CalibrationMasterFactory,
    CandidateScoreFactory,
    DetectionFactory,
    InjectedFactory,
    PreprocessRunFactory,
    ProcessingJobFactory,
    ReferenceFactory,
    TrackletFactory,
    ValidationEventFactory,
)

pytestmark = pytest.mark.django_db


def links_of(client: Client, url: str) -> set[str]:
    """Return the addresses of pages of the admin that the content of a page links to."""
    return links_in(client.get(url))


def links_in(answer: Any) -> set[str]:
    content = answer.content.decode().split('id="content"', 1)[1]
    found = {unescape(address) for address in re.findall(r'href="(/admin/[^"#]*)"', content)}
    return {address for address in found if "/delete/" not in address}


def row_of_each_model() -> list[Any]:
    alert = AlertFactory(detection=DetectionFactory())
    ReferenceFactory(best_member=alert.detection.observation)
    for made in (CalibrationFrameFactory, CalibrationMasterFactory, CandidateScoreFactory, PreprocessRunFactory):
        made()
    ProcessingJobFactory(entity_id=str(alert.detection.observation_id), workflow_id="w-1")
    ProcessingJobFactory(entity_type="field_night", entity_id=f"{TrackletFactory().field_id}/2024-03-01")
    ProcessingJobFactory(entity_type="night", entity_id="2024-03-01")
    ValidationEventFactory(detection=alert.detection)
    InjectedFactory()
    own = [model for model in apps.get_models() if issubclass(model, Record)]
    return [row for model in own for row in model._default_manager.all()[:3]]


def test_every_link_of_every_row_leads_to_a_page():
    rows = row_of_each_model()
    assert len(rows) > 15
    client = staff_of("administrator")
    pages = [page(row._meta.label_lower, "change", row.pk) for row in rows]
    pages += sorted(page(model) for model in {row._meta.label_lower for row in rows})
    opened = {address: client.get(address) for address in pages}
    followed = set().union(*(links_in(answer) for answer in opened.values()))
    assert len(followed) > 60
    # What was looked through has been opened.
    answers = {address: (opened.get(address) or client.get(address)).status_code for address in sorted(followed)}
    assert {address: code for address, code in answers.items() if code != 200} == {}


def test_a_source_links_to_its_alerts_and_to_no_others():
    mine, other = AlertFactory(), AlertFactory()
    client = staff_of("operator")
    links = links_of(client, page("detection.source", "change", mine.detection.source_id))
    [to_alerts] = [address for address in links if address.startswith(page("curation.alert"))]
    rows = client.get(to_alerts).context["cl"].result_list
    assert [row.pk for row in rows] == [mine.pk] != [other.pk]


def test_a_lookup_through_rows_that_no_page_links_to_is_refused():
    AlertFactory()
    answer = staff_of("operator").get(page("curation.alert"), {"detection__model_run__model__name": "x"})
    assert answer.status_code == 400


def test_a_label_is_kept_by_administrators_alone():
    label = LabelDefinition.objects.first()
    url = page("curation.labeldefinition", "change", label.pk)
    form = {"label": label.label, "title": "New title", "detection_type": label.detection_type, "position": 3}
    assert staff_of("operator").post(url, form).status_code == 403
    staff_of("administrator").post(url, form)
    assert LabelDefinition.objects.get(pk=label.pk).title == "New title"


def test_work_on_a_field_in_a_night_links_to_the_field():
    tracklet = TrackletFactory()
    job = ProcessingJobFactory(entity_type="field_night", entity_id=f"{tracklet.field_id}/2024-03-01")
    assert ProcessingJob.objects.count() == 1
    links = links_of(staff_of("operator"), page("catalog.processingjob", "change", job.pk))
    assert page("observations.field", "change", tracklet.field_id) in links
