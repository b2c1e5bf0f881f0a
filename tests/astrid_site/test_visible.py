"""Every address by role and by survey: who is in no team of a survey is told nothing of it, who is in one reads it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Model
from django.test import Client, override_settings
from django.urls import reverse
from pyarrow import parquet

from catalog.roles import MAY_KEEP_SURVEYS, PERMISSIONS
from curation.alerts.publishing import publish_pending
from curation.models import AlertPublication
from curation.packets.keeping import packet_of
from observations.models import IncomingFile, Survey
from tests.clients import account
from tests.closed import DEC, RA, marks_of, within
from tests.factories import (
    AlertFactory,
    CalibrationFrameFactory,
    CalibrationMasterFactory,
    CandidateFactory,
    CandidateScoreFactory,
    DetectionFactory,
    FieldFactory,
    ForcedPhotometryFactory,
    MoverFactory,
    ObservationFactory,
    ProcessingJobFactory,
    ReferenceFactory,
    SourceFactory,
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
    "known-object-searches", "known-objects", "validation-events", "alerts", "processing-jobs",
)  # fmt: skip
UNLISTED = (
    "accounts", "api-tokens", "instrument-profiles", "calibrations", "labels", "subscriptions", "data-sets", "models",
    "orbit-sets", "audit-log", "system-config",
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
    "logout": NONE,
    **dict.fromkeys(("api:deliveries-list", "api:deliveries-export", "api:deliveries-detail"), OWN),
    **dict.fromkeys(("curation:deliveries", "curation:subscription", "curation:edit_subscription"), OWN),
    **dict.fromkeys(
        (
            "home", "login", "theme", "healthz", "readyz", "metrics", "catalog:audit", "catalog:profile",
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
            "curation:tonight", "observations:upload", "api:root", "api:schema", "api:docs", "api:tonight",
            "detection:epoch_pixels",
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
        ),
        ROW,
    ),
    **dict.fromkeys(
        (
            "catalog:jobs", "observations:observations", "detection:below_cut", "curation:alerts",
            "curation:detections", "curation:sources", "api:alerts-feed", "api:alerts-stream", "api:packets-nights",
            "vo:scs", "vo:scs_detections", "vo:scs_sources",
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
    for role in ROLES:
        # Nobody judges blind here: what others say is no question of surveys.
        world.outsiders[role], world.members[role] = Client(), Client()
        for client, groups in ((world.outsiders[role], ()), (world.members[role], (team,))):
            user = account(role)
            user.groups.add(*groups)
            client.force_login(user)
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
            CandidateScoreFactory(candidate__status="rejected", score=0.3)
    with within(opened, [], is_marked=False):
        # One thing in the sky that both have seen.
        world.mixed = DetectionFactory(source=SourceFactory(detection_count=2)).source
    with within(closed, made, is_marked=True):
        DetectionFactory(source=world.mixed)
        ForcedPhotometryFactory(source=world.mixed)
    world.marks = [*marks_of(made), str(closed.pk).encode()]
    world.keys = {key: (first, second) for key, (first, second) in found.items()}
    return world


@pytest.fixture
def world(_world: World, db: None, settings: Any) -> World:
    """Give a test the rows, and take back what it does to them."""
    settings.RATELIMIT_ENABLE = False
    return _world


TIMES = []


def _asked(client: Client, name: str, route: Route, keys: list[Any], **more: Any) -> Any:
    import time

    t0 = time.process_time()
    with transaction.atomic():
        answer = getattr(client, route.method)(reverse(name, args=keys), {**ASKED.get(name, {}), **route.data, **more})
        # Streams are read where their rows still are.
        answer.whole = b"".join(answer) if answer.streaming else answer.content
        transaction.set_rollback(True)
    TIMES.append((time.process_time() - t0, name))
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
    leaks = []
    for name, number, route in CASES:
        if role not in route.may or TABLE[name] in (OWN, SENT, NONE):
            continue
        closed, opened = world.keys.get((name, number), (None, None))
        if closed is not None:
            if _asked(world.outsiders[role], name, route, closed).status_code != 404:
                leaks.append((name, "the row of a closed survey is answered"))
            if _asked(world.outsiders[role], name, route, opened).status_code == 404:
                leaks.append((name, "the row of an open survey is not there"))
            continue
        keys = route.keys() if route.keys is not list else []
        if found := _marks_in(world, _told(_asked(world.outsiders[role], name, route, keys))):
            leaks.append((name, found))
    print("LEAKS", role, *leaks, sep="\n")
    print("TIMES", sum(t for t, _ in TIMES), sorted(TIMES)[-40:])
    assert leaks == []
