"""Every address by role and by survey: who is in no team of a survey is told nothing of it, who is in one reads it."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Model
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone
from pyarrow import parquet

from catalog.hiding import hidden_from, jobs_outside
from catalog.models import ProcessingJob, Record, RecordQuerySet, User
from catalog.people.backend import Backend
from catalog.roles import MAY_KEEP_SURVEYS, PERMISSIONS
from curation.alerts.publishing import publish_pending
from curation.models import AlertPacket, AlertPublication, Deferral, Delivery, Lease, ValidationEvent
from curation.packets.keeping import packet_of
from curation.push.reading import read_on, shown_to
from curation.push.trying import withhold
from detection.models import CandidateScore, Detection
from observations.models import Archive, IncomingFile, Survey
from tests.clients import account, client_of
from tests.closed import DEC, NIGHT, RA, again, marks_of, within
from tests.factories import (
    AlertFactory,
    ArchiveFactory,
    ArchiveProductFactory,
    ArchiveRunFactory,
    CalibrationFrameFactory,
    CalibrationMasterFactory,
    CandidateFactory,
    CandidateScoreFactory,
    DeliveryFactory,
    DetectionFactory,
    FieldFactory,
    ForcedPhotometryFactory,
    ModelFactory,
    MoverFactory,
    ObservationFactory,
    ProcessingJobFactory,
    ReferenceFactory,
    RemovedFileFactory,
    ReportAttemptFactory,
    ReportRowFactory,
    SourceFactory,
    SubscriptionFactory,
    TelescopeFactory,
    TrackletFactory,
)
from tests.routes import ROLES, ROUTES, Route

# What of an address depends on the survey.
ROW = "a row of a survey: who may not see it is told 404"
LIST = "rows of surveys: who may not see some is shown the others"
FIGURES = "figures, or rows that are there only after more was done: nothing of a hidden survey is among them"
NONE = "nothing of a survey"
OWN = "the asker's own, whatever survey: tested by itself"
SENT = "asks for what is sent: tested by itself"

LISTED = (
    "surveys", "telescopes", "fields", "doubts", "calibration-frames", "calibration-masters", "incoming-files",
    "references", "tracklets", "movers", "candidate-scores", "publications", "packets", "observations",
    "preprocess-runs", "difference-runs", "candidates", "model-runs", "detections", "sources", "forced-photometry",
    "known-object-searches", "known-objects", "validation-events", "alerts", "processing-jobs", "archives",
    "archive-runs", "archive-products", "reports", "report-rows", "report-attempts", "removed-files",
)  # fmt: skip
UNLISTED = (
    "accounts", "api-tokens", "instrument-profiles", "calibrations", "labels", "subscriptions", "data-sets", "models",
    "orbit-sets", "audit-log", "system-config", "archive-hosts",
)  # fmt: skip
TABLE: dict[str, str] = {
    **{f"api:{name}-{kind}": LIST for name in LISTED for kind in ("list", "export")},
    **{f"api:{name}-detail": ROW for name in LISTED},
    **{f"api:{name}-{kind}": NONE for name in UNLISTED for kind in ("list", "detail", "export")},
    **{
        f"api:{name}-file": ROW
        for name in (
            "observations", "calibration-frames", "calibration-masters", "preprocess-runs", "references",
            "difference-runs", "detections",
        )
    },
    **dict.fromkeys(("logout", "login", "theme", "healthz", "readyz", "api:schema", "api:docs"), NONE),
    # Of people, by and for themselves or administrators.
    **dict.fromkeys(
        (
            "second_step", "catalog:end_other_sessions", "catalog:end_own_session", "catalog:begin_app",
            "catalog:set_up_app", "catalog:begin_key", "catalog:set_up_key", "catalog:remove_own_factor",
            "catalog:renew_codes", "catalog:people", "catalog:invite", "catalog:invite_again",
            "catalog:revoke_invitation", "catalog:end_session", "catalog:revoke_their_token", "catalog:person",
            "catalog:make_reset", "catalog:remove_factor", "catalog:end_sessions", "catalog:accept_invitation",
            "catalog:reset_password", "catalog:ask_reset",
        ),
        NONE,
    ),
    **dict.fromkeys(("api:deliveries-list", "api:deliveries-export", "api:deliveries-detail"), OWN),
    **dict.fromkeys(("curation:deliveries", "curation:subscription", "curation:edit_subscription"), OWN),
    **dict.fromkeys(
        (
            "home", "metrics", "catalog:audit", "catalog:profile",
            "catalog:change_password", "catalog:make_token", "catalog:revoke_token", "observations:inspect",
            "detection:models", "detection:model", "detection:change_model", "detection:activate_model",
            "detection:order_training", "detection:data_set", "curation:triage_worker", "curation:triage_away",
            "curation:triage_release", "curation:triage_settings", "curation:save_filter", "curation:delete_filter",
            "curation:retraining", "curation:order_retraining", "curation:statistics", "curation:statistic",
            "curation:threshold", "curation:comparison", "curation:drift", "curation:choose_threshold",
            "curation:recalibrate", "curation:subscriptions", "curation:new_subscription", "curation:rotate_secret",
            "curation:test_subscription", "curation:pause_subscription", "curation:resume_subscription",
            "curation:end_subscription", "curation:mentions_seen", "curation:triage_presence", "curation:known",
            "curation:labels", "curation:known_items", "curation:triage", "curation:triage_plain",
            "curation:tonight", "observations:upload", "api:root", "api:tonight",
            "detection:epoch_pixels", "curation:filter_history", "curation:new_report", "observations:new_archive",
        ),
        FIGURES,
    ),
    **dict.fromkeys(
        (
            "curation:triage_next", "curation:triage_answers", "curation:triage_said", "curation:triage_deferrals",
            "curation:triage_frame", "curation:triage_reject_frame", "curation:triage_take_back_frame",
            "curation:withdraw_note", "curation:batch", "curation:batch_answer", "curation:batch_undo",
            "curation:confirm_known", "curation:undo_known", "curation:replay_deliveries", "detection:promote",
        ),
        SENT,
    ),
    **dict.fromkeys(
        (
            "catalog:job", "catalog:retry_job", "catalog:cancel_job", "observations:observation",
            "observations:header", "observations:preview", "observations:delivery", "observations:settle_doubt",
            "observations:reprocess", "observations:archive", "observations:take_back", "preprocessing:runs_of",
            "differencing:difference", "differencing:picture", "differencing:tile", "differencing:sample",
            "differencing:runs_of", "detection:over_frame", "detection:cutouts", "detection:pixels",
            "detection:context", "detection:context_picture", "detection:finding_chart",
            "detection:candidate_cutouts", "detection:of_candidate", "curation:write_note", "curation:alert",
            "curation:mark_gold", "curation:example", "curation:detection", "curation:why", "curation:source",
            "api:sources-light-curve", "api:alerts-packet", "api:packets-night", "api:alerts-acknowledge",
            "api:processing-jobs-retry", "api:processing-jobs-cancel", "api:doubts-settle", "api:doubts-reopen",
            "observations:one_archive", "observations:edit_archive", "observations:order_archive",
            "observations:try_product_again", "api:archives-run", "curation:report", "curation:report_file",
            "curation:release_report", "curation:withdraw_report", "curation:ask_about_report", "api:reports-send",
            "api:reports-withdraw",
        ),
        ROW,
    ),
    **dict.fromkeys(
        (
            "catalog:jobs", "observations:observations", "detection:below_cut", "curation:alerts",
            "curation:detections", "curation:sources", "api:alerts-feed", "api:alerts-stream", "api:packets-nights",
            "vo:scs", "vo:scs_detections", "vo:scs_sources", "observations:archives", "curation:reports",
        ),
        LIST,
    ),
}  # fmt: skip
_CONE = {"RA": f"{RA}", "DEC": f"{DEC}", "SR": "0.1"}
# What an address is asked with, where it tells of rows only then.
ASKED: dict[str, dict[str, str]] = {
    "vo:scs": _CONE, "vo:scs_detections": _CONE, "vo:scs_sources": _CONE,
}  # fmt: skip


def _of_frame(of: Callable[..., Any], name: str) -> Callable[[], list[Any]]:
    """Return a maker of something that hangs on a frame by one of its columns."""

    def keys() -> list[Any]:
        row = of()
        ObservationFactory(**{name: row})
        return [row.pk]

    return keys


def _source() -> Any:
    return DetectionFactory(source=SourceFactory()).source


def _reference(**given: Any) -> Any:
    frame = ObservationFactory(field=FieldFactory())
    row = ReferenceFactory(best_member=frame, field=frame.field, **given)
    row.members.add(frame)
    return row


def _tracklet(**given: Any) -> Any:
    row = TrackletFactory(**given)
    row.members.add(CandidateFactory())
    return row


def _telescope() -> Any:
    return ObservationFactory(telescope=TelescopeFactory()).telescope


def _job() -> list[Any]:
    return [ProcessingJobFactory(entity_type="observation", entity_id=str(ObservationFactory().pk)).pk]


def _file() -> list[Any]:
    survey = ObservationFactory().survey
    return [IncomingFile.objects.create(route="url", name=f"{survey.name}.fits", survey=survey).pk]


def _published() -> AlertPublication:
    alert = AlertFactory()
    publish_pending()
    return AlertPublication.objects.get(alert=alert)


def _packet() -> Any:
    return packet_of(_published())


def _archive() -> Archive:
    survey = ObservationFactory().survey
    return Archive.objects.filter(survey=survey).first() or ArchiveFactory(survey=survey)


def _product() -> list[Any]:
    return [ArchiveProductFactory(archive=_archive()).pk]


def _report() -> list[Any]:
    return [ReportRowFactory(source=_source()).report_id]


# Rows that are of a survey only by what hangs on them.
KEYS: dict[str, Callable[[], list[Any]]] = {
    "curation:source": lambda: [_source().pk],
    "api:sources-detail": lambda: [_source().pk],
    "api:sources-light-curve": lambda: [_source().pk],
    "api:surveys-detail": lambda: [ObservationFactory().survey_id],
    "api:telescopes-detail": lambda: [_telescope().pk],
    "api:fields-detail": _of_frame(FieldFactory, "field"),
    "api:references-detail": lambda: [_reference().pk],
    "api:references-file": lambda: [_reference(file_path="gone").pk, "stack.fits"],
    "api:tracklets-detail": lambda: [_tracklet().pk],
    "api:movers-detail": lambda: [_tracklet(mover=MoverFactory()).mover_id],
    "api:calibration-frames-detail": lambda: [CalibrationFrameFactory(telescope=_telescope()).pk],
    "api:calibration-frames-file": lambda: [
        CalibrationFrameFactory(telescope=_telescope(), fits_file_path="gone").pk, "raw"
    ],
    "api:calibration-masters-detail": lambda: [CalibrationMasterFactory(telescope=_telescope()).pk],
    "api:calibration-masters-file": lambda: [
        CalibrationMasterFactory(telescope=_telescope(), file_path="gone").pk, "master.fits"
    ],
    "api:forced-photometry-detail": lambda: [ForcedPhotometryFactory(source=_source()).pk],
    "api:processing-jobs-detail": _job, "api:processing-jobs-retry": _job, "api:processing-jobs-cancel": _job,
    "catalog:job": _job, "catalog:retry_job": _job, "catalog:cancel_job": _job,
    "api:incoming-files-detail": _file, "observations:delivery": _file,
    "api:publications-detail": lambda: [_published().pk],
    "api:packets-detail": lambda: [_packet().pk],
    "api:alerts-packet": lambda: [_published().alert_id],
    "api:packets-night": lambda: [_packet().night.isoformat()],
    **dict.fromkeys(
        (
            "observations:one_archive", "observations:edit_archive", "api:archives-run", "api:archives-detail",
        ),
        lambda: [_archive().pk],
    ),
    "observations:order_archive": lambda: [_archive().pk, "test"],
    "api:archive-runs-detail": lambda: [ArchiveRunFactory(archive=_archive()).pk],
    "api:archive-products-detail": _product,
    "observations:try_product_again": lambda: [_archive().pk, *_product()],
    **dict.fromkeys(
        (
            "curation:report", "curation:release_report", "curation:withdraw_report", "curation:ask_about_report",
            "api:reports-detail", "api:reports-send", "api:reports-withdraw",
        ),
        _report,
    ),
    "curation:report_file": lambda: [*_report(), "json"],
    "api:report-rows-detail": lambda: [ReportRowFactory(source=_source()).pk],
    "api:report-attempts-detail": lambda: [
        ReportAttemptFactory(report=ReportRowFactory(source=_source()).report).pk
    ],
    "api:removed-files-detail": lambda: [RemovedFileFactory(entity_id=ObservationFactory().pk).pk],
}  # fmt: skip


@dataclass
class World:
    """Two surveys with rows of all kinds, one of them a team's: the keys for each address, and who asks."""

    closed: Survey
    marks: list[bytes] = field(default_factory=list)
    keys: dict[tuple[str, int], tuple[list[Any], list[Any]]] = field(default_factory=dict)
    outsiders: dict[str, Client] = field(default_factory=dict)
    members: dict[str, Client] = field(default_factory=dict)
    mixed: Any = None


@pytest.fixture(scope="module")
def _world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Make the rows for all tests of this file, and take them back."""
    root: Path = tmp_path_factory.mktemp("visible")
    with override_settings(ASTRID_DATA_ROOT=root), django_db_blocker.unblock(), transaction.atomic():
        yield _made()
        transaction.set_rollback(True)


def _made() -> World:
    team = Group.objects.create(name="deep field team")
    closed, opened = (Survey.objects.create(name=name) for name in ("zzsecret survey", "open survey"))
    closed.groups.add(team)
    world, made = World(closed), list[Model]()
    model = ModelFactory(name="in use", is_active=True, model_path="weights", weights_sha256="0" * 64)
    for role in ROLES:
        # Nobody judges blind here: what others say is no question of surveys.
        world.outsiders[role], world.members[role] = Client(), Client()
        for client, groups in ((world.outsiders[role], ()), (world.members[role], (team,))):
            user = account(role)
            user.groups.add(*groups)
            client.force_login(user)
    with within(opened, [], is_marked=False):
        # The feed is known by the key of its first publication.
        _published()
    found: dict[tuple[str, int], list[list[Any]]] = {}
    for survey, is_marked in ((closed, True), (opened, False)):
        rows: list[Model] = made if is_marked else []
        with within(survey, rows, is_marked=is_marked):
            for name, routes in ROUTES.items():
                if TABLE.get(name) != ROW:
                    continue
                for number, route in enumerate(routes):
                    made_keys = KEYS.get(name, route.keys)()
                    found.setdefault((name, number), []).append(made_keys)
            CandidateScoreFactory(candidate__status="rejected", score=0.3, model=model)
    with within(opened, [], is_marked=False):
        # One thing in the sky that both have seen.
        world.mixed = DetectionFactory(source=SourceFactory(detection_count=2)).source
    with within(closed, made, is_marked=True):
        DetectionFactory(source=world.mixed)
        ForcedPhotometryFactory(source=world.mixed)
    published = AlertPublication.objects.filter(alert__detection__observation__survey=closed)
    packets = AlertPacket.objects.filter(publication__in=published)
    made += [closed, *published, *packets, *IncomingFile.objects.filter(survey=closed)]
    world.marks = [*marks_of(made), NIGHT.isoformat().encode()]
    world.keys = {key: (first, second) for key, (first, second) in found.items()}
    return world


@pytest.fixture
def world(_world: World, db: None, settings: Any) -> World:
    """Give a test the rows, and take back what it does to them."""
    settings.RATELIMIT_ENABLE = False
    return _world


def _asked(client: Client, name: str, route: Route, keys: list[Any], **more: Any) -> Any:
    with transaction.atomic():
        answer = getattr(client, route.method)(reverse(name, args=keys), {**ASKED.get(name, {}), **route.data, **more})
        # Streams are read where their rows still are.
        answer.whole = b"".join(answer) if answer.streaming else answer.content
        transaction.set_rollback(True)
    return answer


def _told(answer: Any, form: str = "") -> bytes:
    heads = repr(sorted(answer.headers.items())).encode()
    whole: bytes = answer.whole
    return heads + (str(parquet.read_table(io.BytesIO(whole)).to_pylist()).encode() if form == "parquet" else whole)


def _marks_in(world: World, told: bytes) -> list[bytes]:
    """Return what an answer tells of the closed survey, with the words around it."""
    places = ((told.find(mark), mark) for mark in world.marks)
    return [told[max(at - 100, 0) : at + 60] for at, _ in places if at >= 0]


CASES = [(name, number, route) for name, routes in ROUTES.items() for number, route in enumerate(routes)]


def test_every_address_says_what_of_it_depends_on_the_survey():
    assert sorted(name for name in ROUTES if name not in TABLE) == []


@pytest.mark.parametrize("role", [role for role in ROLES if MAY_KEEP_SURVEYS not in PERMISSIONS[role]])
def test_no_address_tells_an_outsider_of_a_closed_survey(world: World, role: str):
    client, leaks = world.outsiders[role], []
    for name, number, route in CASES:
        if role not in route.may or TABLE[name] in (OWN, SENT, NONE):
            continue
        if TABLE[name] == ROW:
            keys = world.keys[name, number][0]
            status = _asked(client, name, route, keys).status_code
            # What lacks what is to be sent may be refused before any row is looked for.
            if status != 404 and status != _asked(client, name, route, [uuid4(), *keys[1:]]).status_code:
                leaks.append((name, status))
            continue
        keys = route.keys() if route.keys is not list else []
        if found := _marks_in(world, _told(_asked(client, name, route, keys))):
            leaks.append((name, found))
    assert leaks == []


def test_members_administrators_and_for_open_surveys_everybody_are_answered(world: World):
    lacking = []
    for name, number, route in CASES:
        if TABLE[name] not in (ROW, LIST) or route.method != "get":
            continue
        role = next(role for role in ROLES if role in route.may)
        if TABLE[name] == ROW:
            closed, opened = world.keys[name, number]
            answers = [
                _asked(world.members[role], name, route, closed),
                _asked(world.outsiders["administrator"], name, route, closed),
                _asked(world.outsiders[role], name, route, opened),
            ]
            lacking += [(name, one.status_code) for one in answers if one.status_code in (403, 404)]
        elif not _marks_in(world, _told(_asked(world.members[role], name, route, []))):
            lacking.append((name, "a member is told nothing of the closed survey"))
    assert lacking == []


@pytest.mark.parametrize("form", ["csv", "votable", "parquet", "jsonl"])
def test_no_form_of_a_list_tells_more(world: World, form: str):
    kind = "export" if form == "jsonl" else "list"
    for name in LISTED:
        route = ROUTES[f"api:{name}-{kind}"][0]
        outsider, member = (
            _told(_asked(people["operator"], f"api:{name}-{kind}", route, [], format=form), form)
            for people in (world.outsiders, world.members)
        )
        assert _marks_in(world, member) and not _marks_in(world, outsider), name


def test_the_admin_tells_an_outsider_of_nothing_closed(world: World):
    client, leaks = world.outsiders["operator"], []
    pages = ["admin:index"]
    for model in admin.site._registry:
        if f"{model._meta.app_label}.view_{model._meta.model_name}" in PERMISSIONS["operator"]:
            pages.append(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    for page in pages:
        if found := _marks_in(world, _told(_asked(client, page, Route(frozenset()), []))):
            leaks.append((page, found))
    for name, label in (
        ("curation:detection", "detection_detection"), ("observations:observation", "observations_observation"),
        ("api:references-detail", "differencing_reference"), ("catalog:job", "catalog_processingjob"),
        ("curation:source", "detection_source"), ("api:fields-detail", "observations_field"),
    ):  # fmt: skip
        closed, opened = world.keys[name, 0]
        change = f"admin:{label}_change"
        assert _asked(client, change, Route(frozenset()), closed).status_code == 302, label
        assert _asked(world.members["operator"], change, Route(frozenset()), closed).status_code == 200, label
        assert _asked(client, change, Route(frozenset()), opened).status_code == 200, label
    assert leaks == []


def test_a_source_of_both_surveys_tells_each_what_they_may_see(world: World):
    key = world.mixed.pk
    for people, count, epochs in ((world.outsiders, 1, 1), (world.members, 2, 3)):
        client = people["viewer"]
        assert client.get(reverse("api:sources-detail", args=[key])).json()["detection_count"] == count
        near = client.get(reverse("api:sources-list"), {"id__in": str(key)}).json()["results"]
        assert [row["detection_count"] for row in near] == [count]
        curve = client.get(reverse("api:sources-light-curve", args=[key])).json()
        assert len(curve["epochs"]) == epochs
        page = client.get(reverse("curation:source", args=[key])).content
        assert bool(_marks_in(world, page)) == (count == 2)


def test_what_an_alert_tells_of_a_source_of_both_surveys_is_for_those_who_see_both(world: World):
    of_open = Detection.objects.filter(source=world.mixed).exclude(observation__survey=world.closed).get()
    alert = AlertFactory(detection=of_open)
    assert world.outsiders["viewer"].get(reverse("api:alerts-detail", args=[alert.pk])).status_code == 404
    assert world.members["viewer"].get(reverse("api:alerts-detail", args=[alert.pk])).status_code == 200
    # What was told before the other one was found holds nothing of it.
    type(alert).objects.filter(pk=alert.pk).update(created_at=world.mixed.created_at)
    assert world.outsiders["viewer"].get(reverse("api:alerts-detail", args=[alert.pk])).status_code == 200


def test_nothing_is_written_about_what_one_may_not_see(world: World):
    key = world.keys["curation:detection", 0][0][0]
    client, before = world.outsiders["expert"], ValidationEvent.objects.count()
    person = str(User.objects.get(pk=client.session["_auth_user_id"]).pk)
    said = {"id": str(uuid4()), "detection": str(key), "is_valid": True}
    answer = client.post(reverse("api:validation-events-list"), said, content_type="application/json")
    assert answer.status_code == 404 and "no such detection" in answer.content.decode()
    sent = {
        "person": person, "window": str(uuid4()), "by_detection": False, "id": str(uuid4()), "detection": str(key),
        "group": str(uuid4()), "kind": "verdict", "is_valid": True, "was_held": True, "confidence_level": "high",
        "visible_context": {"images": ["science", "reference", "difference"]},
    }  # fmt: skip
    refused = client.post(reverse("curation:triage_answers"), sent, content_type="application/json")
    assert refused.status_code == 422 and "no such detection" in refused.json()["detail"]
    deferred = {**sent, "kind": "snooze", "id": str(uuid4())}
    refused = client.post(reverse("curation:triage_deferrals"), deferred, content_type="application/json")
    assert refused.status_code == 422 and not Deferral.objects.exists()
    asked = {**sent, "query": "", "holding": [], "count": 0, "one": str(key)}
    given = client.post(reverse("curation:triage_next"), asked, content_type="application/json").json()
    assert given["items"] == [] and given["empty"]["code"] == "gone" and not Lease.objects.exists()
    rejected = CandidateScore.objects.get(candidate__status="rejected", candidate__observation__survey=world.closed)
    client.post(reverse("detection:promote"), {"candidate": [str(rejected.candidate_id)]})
    assert not Detection.objects.filter(candidate=rejected.candidate_id).exists()
    assert ValidationEvent.objects.count() == before
    for name in (world.closed.name, str(world.closed.pk)):
        upload = {"fits_url": "https://archive.example.org/f.fits", "survey": name}
        answer = world.outsiders["operator"].post(
            reverse("api:observations-list"), upload, content_type="application/json"
        )
        assert answer.status_code == 404 and "There is no survey" in answer.content.decode()


def test_the_feed_leads_past_what_is_hidden_and_says_nothing_of_it(world: World):
    feed = reverse("api:alerts-feed")
    with within(world.closed, [], is_marked=True):
        AlertFactory()
        publish_pending()
    whole, shown = (
        people["viewer"].get(feed, {"page_size": 1000}).json() for people in (world.members, world.outsiders)
    )
    assert len(shown["results"]) < len(whole["results"]) and whole["latest"] > shown["latest"]
    assert (whole["lag"], shown["lag"]) == (0, 0) and whole["numbering"] == shown["numbering"]
    assert shown["latest"] == shown["results"][-1]["sequence"]
    seen, since = [], ""
    for _ in range(100):
        page = world.outsiders["viewer"].get(feed, {"since": since, "page_size": 1}).json()
        seen += [row["sequence"] for row in page["results"]]
        if not page["results"]:
            break
        assert page["lag"] == len(shown["results"]) - len(seen)
        since = page["next_since"]
    assert seen == [row["sequence"] for row in shown["results"]]
    # The cursor at the end is that of a publication which is hidden, and what comes after it is read on.
    end = AlertPublication.objects.order_by("-sequence").first()
    assert end is not None and str(end.pk).encode() not in base64.urlsafe_b64decode(page["next_since"] + "===")
    later = AlertFactory()
    publish_pending()
    page = world.outsiders["viewer"].get(feed, {"since": page["next_since"]}).json()
    assert [row["alert"] for row in page["results"]] == [str(later.pk)]


def test_rights_are_asked_anew_with_each_request(world: World):
    user = account("viewer")
    team = world.closed.groups.get()
    address = reverse("curation:detection", args=world.keys["curation:detection", 0][0])
    client = Client()
    client.force_login(user)
    for change, expected in ((None, 404), (user.groups.add, 200), (user.groups.remove, 404)):
        if change is not None:
            change(team)
        assert client.get(address).status_code == expected


def test_deliveries_go_to_those_who_may_see_what_they_tell_of_also_when_that_changes(world: World):
    team, user = world.closed.groups.get(), account("operator")
    user.groups.add(team)
    publication = AlertPublication.objects.filter(alert__detection__observation__survey=world.closed).first()
    assert publication is not None
    row = SubscriptionFactory(owner=user, place=publication.sequence - 1)
    waiting = DeliveryFactory(subscription=row, publication=publication, next_try_at=timezone.now())
    assert shown_to(user, [publication]) == [publication]
    assert Delivery.objects.visible_to(user).count() == 1
    user.groups.remove(team)
    outsider = again(user)
    assert shown_to(outsider, [publication]) == [] and Delivery.objects.visible_to(outsider).count() == 0
    row.owner = outsider
    withhold(row)
    waiting.refresh_from_db()
    assert waiting.status == "dead" and "not shown to the owner" in waiting.last_reason
    assert closed_in_feed(row.pk) == []


def closed_in_feed(subscription: Any) -> list[Any]:
    """Read on for a subscriber; return what of a closed survey is on its way to them."""
    while read_on(subscription):
        """Until nothing is new."""
    rows = Delivery.objects.filter(subscription=subscription, status="waiting")
    return list(rows.filter(publication__alert__detection__observation__survey__groups__isnull=False))


@pytest.mark.django_db
def test_where_no_survey_names_a_team_the_queries_are_those_of_before(django_assert_num_queries: Any):
    Survey.groups.through._default_manager.all().delete()
    user = account("curator")
    with django_assert_num_queries(1):
        found = Backend().get_user(user.pk)
        assert found is not None and hidden_from(found) == frozenset()
    for model in apps.get_models():
        rows = model._default_manager.all()
        name = f"{model._meta.app_label}.view_{model._meta.model_name}"
        if isinstance(rows, RecordQuerySet) and type(rows).visible_to is RecordQuerySet.visible_to:
            assert not user.has_perm(name) or str(rows.visible_to(user).query) == str(rows.query)


def test_every_model_says_how_it_is_of_a_survey_or_that_it_is_of_none():
    without = {
        model
        for model in apps.get_models()
        if issubclass(model, Record)
        and not model.way_to_survey
        and type(model._default_manager.all()).outside is RecordQuerySet.outside
    }
    of_the_system = {
        "ApiToken", "SystemConfig", "Probe", "AuditLog", "AuditSeal", "StarCatalogField", "Model", "DataSet",
        "Calibration", "OrbitSet", "ContextArea", "ContextSource", "InstrumentProfile", "LabelDefinition", "User",
        "Subscription", "SavedFilter", "TriageSettings", "AccountLink", "LoginSession", "ArchiveHost", "RetentionPass",
    }  # fmt: skip
    assert {model.__name__ for model in without} == of_the_system


@pytest.mark.django_db
def test_jobs_are_shown_by_what_they_are_about():
    closed, opened = (Survey.objects.create(name=name) for name in ("closed", "open"))
    field = FieldFactory()
    # No other frame is of this night.
    night = NIGHT.replace(year=2020)
    frame = ObservationFactory(survey=closed, field=field, night=night)
    about = {
        "observation": frame.pk, "night": night, "field": field.pk, "field_night": f"{field.pk}/{night}",
        "source": DetectionFactory(candidate__observation=frame).source_id, "file": "0" * 64,
        "incoming_file": IncomingFile.objects.create(route="url", name="f", survey=closed).pk,
    }  # fmt: skip
    rows = {kind: ProcessingJobFactory(entity_type=kind, entity_id=str(key)) for kind, key in about.items()}
    other = ProcessingJobFactory(entity_type="model", entity_id="no key")
    jobs = ProcessingJob.objects.filter(pk__in=[other.pk, *(row.pk for row in rows.values())])
    assert list(jobs.outside({closed.pk})) == [other]
    ObservationFactory(survey=opened, field=field, night=night)
    shown = set(jobs.outside({closed.pk}))
    assert shown == {other, rows["night"], rows["field"], rows["field_night"]}
    # Their logs name what is hidden as well.
    assert set(jobs_outside(jobs, {closed.pk}, wholly=True)) == {other}


@pytest.mark.django_db
def test_a_team_that_a_survey_names_is_not_deleted_so_that_everybody_sees_it():
    survey, team = Survey.objects.create(name="deep"), Group.objects.create(name="observers")
    client = Client()
    client.force_login(account("administrator"))
    address = reverse("admin:auth_group_delete", args=[team.pk])
    assert client.get(address).status_code == 200
    survey.groups.add(team)
    assert client.post(address, {"post": "yes"}).status_code == 403
    form = client.get(reverse("admin:observations_survey_change", args=[survey.pk])).content.decode()
    assert "observers" in form and ">viewer<" not in form


@pytest.mark.django_db
def test_only_administrators_read_which_teams_see_a_survey():
    survey = Survey.objects.create(name="deep")
    survey.groups.add(Group.objects.create(name="astronomers"))
    member = account("viewer")
    member.groups.add(survey.groups.get())
    for who, teams in ((account("administrator"), ["astronomers"]), (member, None)):
        [row] = client_of(who).get(reverse("api:surveys-list"), {"name": "deep"}).json()["results"]
        assert row["groups"] == teams
