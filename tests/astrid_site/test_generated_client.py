"""A client that a program makes of the OpenAPI document reads every answer, and refuses one that is not as promised."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

from astrid_site.site.api import RESOURCES
from catalog.web.rest.views import RowViewSet
from curation.alerts.publishing import publish_pending
from curation.packets.keeping import write_pending
from tests.clients import account, token_of
from tests.factories import AlertFactory, PreprocessRunFactory, ProcessingJobFactory, ValidationEventFactory
from tests.rows import rows_of_every_kind

LISTS = [view.resource for view in RESOURCES if issubclass(view, RowViewSet)]
# What it does not know is a file like any other.
FILES = ("application/fits", "image/png", "application/avro", "application/gzip")
CONFIG = {"post_hooks": [], "content_type_overrides": dict.fromkeys(FILES, "application/octet-stream")}
# Of two kinds of body the generator writes a name that it does not import.
TWO_BODIES = "observations_create"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Make the client; return the name of its package."""
    folder = tmp_path_factory.mktemp("generated")
    call_command("spectacular", "--file", str(folder / "openapi.yml"))
    (folder / "config.yml").write_text(json.dumps(CONFIG))
    command: list[str | Path] = [Path(sys.executable).with_name("openapi-python-client"), "generate", "--meta", "none"]
    read: list[str | Path] = ["--path", folder / "openapi.yml", "--config", folder / "config.yml"]
    told = subprocess.run(
        [*command, *read, "--output-path", folder / "astrid_made"],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
    )
    # It leaves out, with a warning, what it does not understand.
    assert "WARNING" not in told.stdout + told.stderr
    sys.path.insert(0, str(folder))
    yield "astrid_made"
    sys.path.remove(str(folder))


class Bent(httpx.WSGITransport):
    """Answers as the site does, or bent."""

    bend: Callable[[bytes], bytes] = staticmethod(bytes)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        answer.read()
        headers = {"Content-Type": answer.headers["Content-Type"]}
        return httpx.Response(answer.status_code, headers=headers, content=self.bend(answer.content))


@pytest.fixture
def transport(db: None, kept_connection: None, empty_data_root: Path) -> Bent:
    event = ValidationEventFactory(tags=["a"])
    AlertFactory(detection=event.detection)
    PreprocessRunFactory()
    ProcessingJobFactory(status="failed", failure_code="no_wcs", error_message="None.")
    rows_of_every_kind()
    publish_pending()
    write_pending()
    return Bent(app=get_wsgi_application())


@pytest.fixture
def client(made: str, transport: Bent) -> Any:
    return importlib.import_module(made).AuthenticatedClient(
        base_url="http://testserver", token=token_of(account("administrator")), httpx_args={"transport": transport}
    )


def operation(made: str, resource: str, name: str) -> Any:
    folder = resource.replace("-", "_")
    return importlib.import_module(f"{made}.api.{folder}.{name}")


def test_it_reads_every_list_and_row_and_tells_them_as_they_were_sent(made: str, client: Any):
    for resource in LISTS:
        name = resource.replace("-", "_")
        listed = operation(made, resource, f"{name}_list").sync_detailed(client=client)
        assert as_told(listed.parsed.to_dict()) == as_told(json.loads(listed.content)), resource
        key = listed.parsed.results[0].id
        row = operation(made, resource, f"{name}_retrieve").sync_detailed(client=client, id=key)
        assert row.status_code == 200 and row.parsed.id == key
        assert as_told(row.parsed.to_dict()) == as_told(json.loads(row.content)), resource


def test_it_follows_the_feed(made: str, client: Any):
    feed = operation(made, "alerts", "alerts_feed")
    page = feed.sync(client=client)
    assert page.results[-1].payload.alert == page.results[-1].alert
    assert feed.sync(client=client, since=page.next_since).results == []


def test_it_reads_what_is_refused(made: str, client: Any):
    problem = operation(made, "alerts", "alerts_list").sync(client=client, cursor="made_up")
    assert (problem.status, problem.code) == (404, "not_found")


@pytest.mark.parametrize(
    "planted",
    [
        lambda told: told.replace(b'"next_since":', b'"next":'),
        lambda told: re.sub(rb'"published_at":\s*"', b'"published_at":"soon ', told),
        lambda told: re.sub(rb'"kind":\s*"new"', b'"kind":"old"', told),
    ],
    ids=["a field that is missing", "no time", "no such word"],
)
def test_it_refuses_what_is_not_as_the_document_says(made: str, client: Any, transport: Bent, planted: Any):
    feed = operation(made, "alerts", "alerts_feed")
    assert feed.sync(client=client).results
    transport.bend = planted
    with pytest.raises((KeyError, ValueError)):
        feed.sync(client=client)


def test_every_operation_has_its_function(made: str):
    package = importlib.import_module(f"{made}.api")
    modules = [name for _, name, is_folder in pkgutil.walk_packages(package.__path__, f"{made}.api.") if not is_folder]
    assert len(modules) > 3 * len(LISTS)
    for name in modules:
        if name.rpartition(".")[2] != TWO_BODIES:
            assert callable(importlib.import_module(name).sync_detailed)


def as_told(value: Any) -> Any:
    """Return what JSON says, with times as the client writes them."""
    if isinstance(value, dict):
        return {name: as_told(one) for name, one in value.items()}
    if isinstance(value, list):
        return [as_told(one) for one in value]
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", value):
        return value[:-1] + "+00:00"
    return value
