"""In blind mode no address tells one who has not answered yet what others said.

Each address is asked twice by the same curator: once where somebody took a detection for a variable star, once where
they took it for a cosmic ray. Whatever tells the two apart is a leak.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pyarrow import parquet

from astrid_site.site import home
from astrid_site.site.api import RESOURCES
from catalog.models import SystemConfig, User
from catalog.people import audit
from catalog.web.filters import FlagFilter, ListFilter
from catalog.web.rest.rendering import FORMATS
from catalog.web.rest.tables import as_json_bytes
from curation.alerts.filters import AlertFilter
from curation.alerts.publishing import publish_pending
from curation.detections.filters import DetectionListFilter
from curation.judgements import visibility
from curation.judgements.gold import mark_known
from curation.models import Alert, AlertPublication, Conflict, LabelDefinition, ValidationEvent
from curation.triage.filters import QueueFilter
from detection.sources.filters import SourceFilter
from tests.curation.looks import consider, judge, seen
from tests.factories import (
    DataSetFactory,
    DeliveryFactory,
    PreprocessRunFactory,
    ProcessingJobFactory,
    ReportRowFactory,
    SubscriptionFactory,
    SurveyFactory,
    UserFactory,
)
from tests.routes import ROUTES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]

WORDS = ("variable_star", "cosmic_ray", "Otherwise", "their own words")
# What people may have said of one detection; the test is whether anything tells which.
WORLDS: tuple[dict[str, Any], ...] = (
    {"is_valid": True, "label": "variable_star", "notes": "their own words"},
    {"is_valid": False, "label": "cosmic_ray", "notes": "their own words, and others", "level": "expert"},
)
# The lists of pages, with what narrows each.
LISTS: dict[str, type[ListFilter]] = {
    "curation:detections": DetectionListFilter,
    "curation:sources": SourceFilter,
    "curation:alerts": AlertFilter,
    "curation:triage": QueueFilter,
}
# Of the queue, what is narrowed by that.
OF_PEOPLE = ("by", "status", "label", "without_label")
# What clients narrow by what people said, or could: all other lists hold what machines did.
RESOURCES_OF_PEOPLE = ("detections", "sources", "validation-events", "alerts")
# Pictures and parts of pages of pixels, which are not there in this test.
WITHOUT_WORDS = {
    "observations:preview": "small", "differencing:picture": "score", "detection:context_picture": "science",
    "detection:finding_chart": "png", "differencing:sample": 0,
    "curation:report_file": "json",
}  # fmt: skip
# Of the site itself; and those that lead elsewhere, with a message on the page that comes next.
WITHOUT_ROWS = (
    "api:docs", "api:schema", "healthz", "readyz", "metrics", "catalog:set_up_app", "catalog:set_up_key",
)  # fmt: skip
_OF_A_TILE = {"kind": "science", "level": 0, "column": 0, "row": 0}
_MADE_UP = (
    (re.compile(r'name="csrfmiddlewaretoken" value="\w+"|"X-CSRFToken": "\w+"|csrf-token" content="\w+"'), "TOKEN"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|\+00:00)?"), "TIME"),
    (re.compile(r"cursor=[\w%-]+"), "CURSOR"),
    (re.compile(r'(data-version|name="\w+" value)="[0-9a-f]{16}"'), "VERSION"),
)
_KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass
class Scene:
    """What is there before anybody has answered: two detections of one source, and the alert that the score made."""

    looker: User
    other: User

    def __post_init__(self) -> None:
        self.second = seen(days=1.0)
        self.row = seen(self.second.source, days=2.0)
        PreprocessRunFactory(observation=self.row.observation)
        self.data_set = DataSetFactory()
        self.job = ProcessingJobFactory(entity_type="source", entity_id=str(self.row.source_id))
        consider(self.row.source)
        publish_pending()
        self.alert = Alert.objects.get()
        self.subscription = SubscriptionFactory(owner=self.looker)
        self.reported = ReportRowFactory(source=self.row.source)
        self.delivery = DeliveryFactory(subscription=self.subscription, publication=AlertPublication.objects.get())

    def rows(self) -> dict[str, Any]:
        """Return what addresses are about: by the names of resources, and of arguments."""
        run = self.row.candidate.difference_run
        return {
            "surveys": SurveyFactory(), "observations": self.row.observation, "difference-runs": run,
            "preprocess-runs": self.row.observation.preprocess_runs.get(), "candidates": self.row.candidate,
            "models": self.row.model_run.model, "model-runs": self.row.model_run, "detections": self.row,
            "sources": self.row.source, "alerts": self.alert, "processing-jobs": self.job,
            "validation-events": ValidationEvent.objects.filter(validator=self.other).first() or self.row,
            "audit-log": self.row, "publications": AlertPublication.objects.order_by("sequence").last(),
            "labels": LabelDefinition.objects.first(), "subscriptions": self.subscription,
            "deliveries": self.delivery, "reports": self.reported.report, "report-rows": self.reported,
            "detection_id": self.row, "source_id": self.row.source, "alert_id": self.alert, "job_id": self.job,
            "candidate_id": self.row.candidate, "observation_id": self.row.observation, "run_id": run,
            "model_id": self.row.model_run.model, "data_set_id": self.data_set,
            "subscription_id": self.subscription, "report_id": self.reported.report,
        }  # fmt: skip

    def keys_of(self, rows: dict[str, Any], name: str, arguments: list[str]) -> list[Any]:
        """Return the arguments of an address such that it is about the detection that was judged."""
        if name.startswith("api:"):
            # Of what the telescope and machines alone have made, such as masters and tracklets, there is none here.
            resource = name.removeprefix("api:").removesuffix("-detail")
            return (
                ["alerts.automatic"] if arguments == ["key"] else [rows.get(resource, self.row).pk for _ in arguments]
            )
        others = _OF_A_TILE if name == "differencing:tile" else dict.fromkeys(arguments, WITHOUT_WORDS.get(name))
        return [rows[argument].pk if argument in rows else others[argument] for argument in arguments]


@pytest.fixture
def scene(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Scene:
    settings.ASTRID_API_RATE = "1000000/min"
    # The mark of a new alert goes after a while, and the two worlds are looked at one after the other.
    monkeypatch.setattr(home, "_NEW_FOR", dt.timedelta(days=1))
    looker, other = UserFactory(username="looker"), UserFactory(username="Otherwise")
    looker.groups.add(Group.objects.get(name="curator"))
    SystemConfig.objects.create(key="curation.blind", value=True)
    return Scene(looker, other)


def patterns(entries: list[Any], prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    """Yield the name of every address outside the admin, and the names of its arguments."""
    for entry in entries:
        if isinstance(entry, URLResolver) and entry.namespace != "admin":
            yield from patterns(entry.url_patterns, f"{prefix}{entry.namespace}:" if entry.namespace else prefix)
        elif isinstance(entry, URLPattern):
            yield f"{prefix}{entry.name}", list(entry.pattern.converters)


def addresses(scene: Scene) -> Iterator[str]:
    """Yield every address that can be read, the lists in each order and format, and narrowed by each filter."""
    resources, rows = {view.resource: view for view in RESOURCES}, scene.rows()
    for name, arguments in patterns(get_resolver().url_patterns):
        may_read = any(route.method == "get" and "curator" in route.may for route in ROUTES[name])
        if not may_read or name in WITHOUT_ROWS:
            continue
        path = reverse(name, args=scene.keys_of(rows, name, arguments))
        yield path
        if name.startswith("vo:"):
            yield f"{path}?RA={scene.row.ra}&DEC={scene.row.dec}&SR=0.1&VERB=3"
        narrowed_by = LISTS.get(name)
        resource = resources.get(name.removeprefix("api:").removesuffix("-list").removesuffix("-detail"))
        if resource is not None and resource.resource in RESOURCES_OF_PEOPLE:
            # The first of them is what is given without being asked for. The others are made of the same rows.
            yield from (f"{path}?format={form}" for form in FORMATS[1:])
        if resource is not None and name.endswith("-list"):
            narrowed_by = resource.filterset_class if resource.resource in RESOURCES_OF_PEOPLE else None
            yield from (f"{path}?ordering={order}" for order in resource.orderings)
        if narrowed_by is not None:
            yield from (f"{path}?{query}" for query in queries(narrowed_by, scene))


def queries(narrowed_by: type[ListFilter], scene: Scene) -> Iterator[str]:
    """Yield what a list can be narrowed by, as far as it could depend on what somebody said."""
    for name, asked in narrowed_by.base_filters.items():
        choices = asked.extra.get("choices", ())
        if choices:
            yield from (f"{name}={getattr(choice, 'value', None) or choice[0]}" for choice in choices)
        elif isinstance(asked, FlagFilter):
            yield from (f"{name}=true", f"{name}=false")
        elif "label" in name or name in ("user", "validator"):
            yield from (f"{name}={word}" for word in (*WORDS[:3], scene.other.pk))
        elif name in ("detection", "detection__in"):
            yield f"{name}={scene.row.pk}"


def read(client: Client, address: str, known: set[str]) -> str:
    """Return an answer without what is another one each time: tokens, times, keys of rows that were not there."""
    answer = client.get(address)
    content: bytes = answer.getvalue()
    if content.startswith(b"PAR1"):
        content = as_json_bytes(parquet.read_table(io.BytesIO(content)).to_pylist())
    return cleaned(f"{answer.status_code} {content.decode(errors='replace')}", known)


def cleaned(text: str, known: set[str]) -> str:
    for pattern, word in _MADE_UP:
        text = pattern.sub(word, text)
    text = re.sub(r"(in \d+ (s|min)|\d+ (s|min) ago)", "AGO", text.replace("\xa0", " "))
    return _KEY.sub(lambda found: found[0] if found[0] in known else "KEY", text)


def told(
    scene: Scene,
    person: User,
    wanted: Container[str] | None = None,
    worlds: tuple[dict[str, Any], ...] = WORLDS,
) -> list[dict[str, str]]:
    """Return what every address tells a person in each world, or those of the addresses that are wanted.

    Where the detection is known and will be asked, the queue gives it to be asked: it is left out there.
    """
    client = Client()
    client.force_login(person)
    known = {str(row.pk) for row in (scene.row, scene.second, scene.row.source, scene.alert, scene.row.observation)}
    found = []
    for world in worlds:
        with transaction.atomic():
            said = dict(world)
            is_known = said.pop("is_known", False)
            judge(scene.row, said.pop("is_valid"), person=scene.other, **said)
            if is_known:
                mark_known(scene.row, scene.other, audit.Actor(scene.other))
            consider(scene.row.source)
            publish_pending()
            assert Alert.objects.count() == 2, "what was said has made an alert"
            paths = [path for path in addresses(scene) if wanted is None or path in wanted]
            found.append({cleaned(path, known): read(client, path, known) for path in paths})
            if not is_known:
                found[-1] |= triage(client, person, scene, known)
            transaction.set_rollback(True)
    return found


def triage(client: Client, person: User, scene: Scene, known: set[str]) -> dict[str, str]:
    """Return what the queue gives for each query, and for the detection itself."""
    if not person.has_perm("curation.add_validationevent"):
        return {}
    asked: list[dict[str, Any]] = [{"query": query} for query in queries(QueueFilter, scene)]
    answers = {}
    for more in [*asked, {"one": str(scene.row.pk)}]:
        body = {"window": str(uuid4()), "person": str(person.pk), "count": 3, **more}
        with transaction.atomic():
            answer = client.post(reverse("curation:triage_next"), json.dumps(body), content_type="application/json")
            assert answer.status_code == 200, answer.content
            answers[f"triage_next {more}"] = cleaned(answer.content.decode(), known)
            transaction.set_rollback(True)
    # It narrows as the other page does; here are those queries that ask what people say.
    of_people = [query for query in queries(QueueFilter, scene) if query.partition("=")[0] in OF_PEOPLE]
    for query in (*of_people, f"detection={scene.row.pk}"):
        with transaction.atomic():
            page = client.get(f"{reverse('curation:triage_plain')}?{query}", follow=True)
            assert page.status_code == 200, query
            answers[f"plain triage {query}"] = cleaned(page.content.decode(), known)
            transaction.set_rollback(True)
    return answers


def test_no_address_tells_a_blind_curator_which_answer_somebody_gave_and_that_it_is_known_and_will_be_asked(
    scene: Scene,
):
    SystemConfig.objects.create(key="curation.gold_share", value=0.5)
    first, second, known = told(scene, scene.looker, worlds=(*WORLDS, {**WORLDS[0], "is_known": True}))

    assert len(first) > 200
    assert [address for address in first.keys() | second.keys() if first.get(address) != second.get(address)] == []
    walked = {address for address in first if "triage_next" not in address and "plain triage" not in address}
    assert known.keys() == walked
    assert [address for address in walked if first[address] != known[address]] == []
    # What a filter was asked for stands in the form again, and triage offers all labels.
    answers = {address: text for address, text in first.items() if "label" not in address and "triage" not in address}
    assert any("plain-answer" in text and str(scene.row.pk) in text for text in first.values())
    for word in WORDS:
        assert [address for address, text in answers.items() if word in text and word not in address] == [], word


def test_no_address_tells_a_blind_expert_who_said_what_of_a_conflict(scene: Scene):
    SystemConfig.objects.create(key="curation.conflict_after", value=2)
    scene.looker.groups.set([Group.objects.get(name="expert")])
    client, third = Client(), UserFactory(username="Third")
    client.force_login(scene.looker)
    known = {str(row.pk) for row in (scene.row, scene.second, scene.row.source, scene.alert, scene.row.observation)}
    worlds = []
    for real, bogus in ((scene.other, third), (third, scene.other)):
        with transaction.atomic():
            judge(scene.row, True, person=real, label="variable_star")
            judge(scene.row, False, person=bogus, label="cosmic_ray")
            assert Conflict.objects.filter(detection=scene.row).exists()
            consider(scene.row.source)
            worlds.append({cleaned(path, known): read(client, path, known) for path in addresses(scene)})
            worlds[-1] |= triage(client, scene.looker, scene, known)
            assert any("by=conflict" in asked and str(scene.row.pk) in text for asked, text in worlds[-1].items())
            transaction.set_rollback(True)
    first, second = worlds
    assert [address for address in first.keys() | second.keys() if first.get(address) != second.get(address)] == []


def test_the_same_addresses_tell_it_to_one_who_does_not_judge(scene: Scene):
    """Else the test above would see nothing."""
    viewer = UserFactory()
    viewer.groups.add(Group.objects.get(name="viewer"))
    row = scene.row
    expected = (
        "/", "/detections/", "/detections/?status=validated", "/detections/?label=variable_star",
        "/sources/", "/alerts/",
        f"/detections/{row.pk}/", f"/sources/{row.source_id}/", "/alerts/?alert_type=retraction",
        "/api/v1/detections/", f"/api/v1/detections/{row.pk}/", "/api/v1/detections/?format=csv",
        "/api/v1/detections/?format=votable", "/api/v1/detections/?status=rejected",
        "/api/v1/detections/?is_validated=true",
        "/api/v1/validation-events/", "/api/v1/alerts/", "/api/v1/alerts/feed/", "/api/v1/alerts/stream",
    )  # fmt: skip
    # Of the addresses above those alone that must tell it.
    first, second = told(scene, viewer, expected)

    assert first.keys() == set(expected)
    assert [address for address in expected if first[address] == second.get(address)] == []


def test_what_is_derived_from_answers_is_what_a_verdict_writes():
    """A new field of this kind must be hidden too."""
    row = seen()
    before = {field.name: getattr(row, field.attname) for field in row._meta.concrete_fields}
    judge(row, True, label="agn")
    after = {field.name: getattr(row, field.attname) for field in row._meta.concrete_fields}
    changed = {name for name in after if after[name] != before[name]} - {"updated_at"}
    assert changed == set(visibility.DERIVED)
