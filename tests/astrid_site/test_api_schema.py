"""The OpenAPI document is sound, and says of every answer what it is: asked by a client that we did not write."""

from __future__ import annotations

import contextlib
import dataclasses
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from astrid_site.site.api import RESOURCES
from catalog.people import audit
from catalog.people.scopes import SCOPES
from catalog.people.tokens import issue
from catalog.web.rest.views import RowViewSet
from curation.alerts.facts import RetractedFacts
from curation.alerts.publishing import publish_pending
from curation.packets.keeping import write_pending
from tests import factories
from tests.rows import rows_of_every_kind

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
EXAMPLES = 6
# What OpenAPI cannot say: which parameters or fields go with which others.
TOGETHER = {
    "Only `form=json` has this.",
    "Only `form=fits` has this.",
    "`form=fits` needs this: choose one of science, reference, difference.",
    "Tables hold rows alone: ask for JSON.",
    "Give one of `since`, `published_from` and `start`.",
    "a position needs both right ascension and declination",
}


@pytest.fixture
def token(db: None, settings: Any, empty_data_root) -> str:
    """An administrator's token, and a row of everything."""
    settings.ASTRID_API_RATE = "1000000/min"
    user = factories.UserFactory()
    user.groups.add(Group.objects.get(name="administrator"))
    event = factories.ValidationEventFactory(validator=user, tags=["a"])
    factories.AlertFactory(detection=event.detection)
    factories.AlertFactory(detection=event.detection)
    factories.PreprocessRunFactory()
    factories.ProcessingJobFactory(status="failed", failure_code="no_wcs", error_message="None.")
    rows_of_every_kind()
    publish_pending()
    write_pending()
    return issue(user, "client", list(SCOPES), audit.MACHINE)[1]


@pytest.fixture
def document(token: str, kept_connection: None) -> Any:
    return schemathesis.openapi.from_wsgi(
        "/api/v1/schema/", app=get_wsgi_application(), headers={"Authorization": f"Token {token}"}
    )


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_answer_is_as_the_document_says_and_what_it_allows_is_accepted(
    document: Any, token: str, mode: GenerationMode
):
    headers = {"Authorization": f"Token {token}"}
    keys = {
        view.resource: str(view.queryset.values_list("pk", flat=True)[0])
        for view in RESOURCES if issubclass(view, RowViewSet)
    }  # fmt: skip
    statuses: Counter[int] = Counter()
    for operation in (result.ok() for result in document.get_all_operations()):
        resource = operation.path.split("/")[3]
        for number, case in enumerate(_cases(operation, mode)):
            # Every other one about a row that there is.
            if mode is GenerationMode.POSITIVE and number % 2:
                _point_at(case, resource, keys)
            answer = case.call(headers=headers)
            statuses[answer.status_code] += 1
            # Rows of tests name files that nobody wrote.
            is_told = answer.status_code == 410 or (answer.status_code == 400 and _sentences(answer) <= TOGETHER)
            accepted = [] if is_told else [positive_data_acceptance]
            case.validate_response(answer, checks=[*CHECKS, *accepted], headers=headers)
    assert sum(statuses.values()) > 500 and not statuses.keys() & {401, 429}
    assert statuses[200 if mode is GenerationMode.POSITIVE else 400] > 150


def _point_at(case: Any, resource: str, keys: dict[str, str]) -> None:
    for name, value in case.path_parameters.items():
        if name == "id" or name.endswith("_id"):
            case.path_parameters[name] = keys.get(resource, value)
    if isinstance(case.body, dict) and "detection" in case.body:
        case.body["detection"] = keys["detections"]


def _sentences(answer: Any) -> set[str]:
    return {sentence for told in answer.json().get("errors", {}).values() for sentence in told}


def _cases(operation: Any, mode: GenerationMode) -> list[Any]:
    """Return what the library makes up for one operation, the same every time."""
    cases: list[Any] = []

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def gather(case: Any) -> None:
        cases.append(case)

    # An operation without parameters has nothing that could be wrong.
    with contextlib.suppress(Unsatisfiable):
        gather()
    return cases


def test_the_document_is_valid_and_made_without_a_warning(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "openapi.yml"))


def _told(document: dict[str, Any], schema: Any, name: str, seen: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every key of a row that an answer of this schema tells, with the name that it stands under."""
    if isinstance(schema, list):
        for part in schema:
            yield from _told(document, part, name, seen)
    elif isinstance(schema, dict):
        if schema.get("format") == "uuid":
            yield name, schema
        reference = schema.get("$ref", "")
        if reference and reference not in seen:
            seen.add(reference)
            component = reference.rpartition("/")[2]
            yield from _told(document, document["components"]["schemas"][component], component, seen)
        for key, part in schema.get("properties", {}).items():
            yield from _told(document, part, f"{name}.{key}", seen)
        for key in ("items", "additionalProperties", "allOf", "oneOf", "anyOf"):
            yield from _told(document, schema.get(key), name, seen)


def test_every_key_that_is_told_says_which_list_holds_its_row_and_that_list_is_there():
    document = SchemaGenerator().get_schema(request=None, public=True)
    seen: set[str] = set()
    answers = [
        response.get("content", {})
        for operations in document["paths"].values()
        for operation in operations.values()
        for response in operation["responses"].values()
    ]
    keys = [
        told for content in answers for media in content.values() for told in _told(document, media["schema"], "", seen)
    ]
    # A group is no row: it only joins those that have it.
    of_rows = [(name, schema) for name, schema in keys if not name.endswith((".id", ".group"))]
    others = of_rows + [(name, schema) for name, schema in keys if name.endswith(".id") and "x-resource" in schema]
    assert len(others) > 40
    nowhere = [name for name, told in others if f"/api/v1/{told.get('x-resource')}/{{id}}/" not in document["paths"]]
    assert nowhere == []


def test_what_an_alert_says_is_described_by_the_class_that_it_is_made_from():
    document = SchemaGenerator().get_schema(request=None, public=True)
    entry = document["components"]["schemas"]["Entry"]["properties"]["payload"]["properties"]
    facts = entry["metadata"]["properties"]
    assert facts.keys() == {field.name for field in dataclasses.fields(RetractedFacts)}
    assert facts["mag"] == {"type": "number", "format": "double", "nullable": True}
    assert facts["judged_by"]["items"]["properties"]["is_valid"] == {"type": "boolean", "nullable": True}
    assert document["components"]["schemas"]["Alert"]["properties"]["alert_metadata"]["properties"] == facts
