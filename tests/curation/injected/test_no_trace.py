"""Injected sources leave no trace: what every address tells is the same without them and with them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client
from django.urls import reverse

from astrid_site.night.document import document
from catalog.models import SystemConfig, User
from curation.triage.queue import Queue, remaining
from detection.models import Detection
from differencing.models import Candidate
from tests.astrid_site.test_blind import Scene, addresses, read, scene
from tests.factories import CandidateFactory, GoldAnswerFactory, InjectedFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]
__all__ = ["scene"]


def inject(scene: Scene, given_to: User | None = None) -> None:
    """Inject two sources into the frame that was judged, one of which somebody has answered about."""
    run = scene.row.candidate.difference_run
    for said in (None, False):
        candidate = CandidateFactory(difference_run=run, is_injected=True, significance=30.0)
        item = InjectedFactory(detection__candidate=candidate, detection__model_run=scene.row.model_run)
        GoldAnswerFactory(item=item, person=scene.other, is_valid=said)
        if given_to is not None and said is None:
            GoldAnswerFactory(item=item, person=given_to)


@pytest.mark.parametrize(("role", "is_given"), [("curator", False), ("curator", True), ("administrator", False)])
def test_no_list_feed_page_or_statistic_tells_of_an_injected_source(scene: Scene, role: str, is_given: bool):
    SystemConfig.objects.update(is_active=False)
    SystemConfig.objects.create(key="curation.fake_share", value=0.5)
    person = UserFactory(username="reader")
    person.groups.set([Group.objects.get(name=role)])
    client = Client()
    client.force_login(person)
    known = {str(row.pk) for row in (scene.row, scene.second, scene.row.source, scene.alert, scene.row.observation)}
    # Each list once: what narrows it narrows the same rows.
    paths = [path for path in addresses(scene) if "?" not in path]
    differing = []
    for path in paths:
        before = read(client, path, known)
        with transaction.atomic():
            inject(scene, person if is_given else None)
            assert Detection.with_injected.count() == Detection.objects.count() + 2
            if read(client, path, known) != before:
                differing.append(path)
            transaction.set_rollback(True)
    # Experts and administrators are told there how well others find them.
    told = {"/triage/accuracy/", "/statistics/", "/statistics/injected.csv"} if role == "administrator" else set()
    if is_given:
        # Whoever was given one finds it in the whole frame, as whatever was found.
        run, frame = scene.row.candidate.difference_run_id, scene.row.observation_id
        names = (("differencing:difference", run), ("detection:over_frame", run), ("differencing:runs_of", frame))
        told |= {reverse(name, args=[key]) for name, key in names}
        assert told == set(differing)
    assert set(differing) <= told, differing
    assert len(paths) > 60


def test_what_counts_work_or_tells_of_a_night_passes_over_injected_sources(scene: Scene):
    frame, user = scene.row.observation, scene.looker

    def told() -> list[object]:
        queue = Queue("pending", Detection.objects.all())
        night = document([frame.pk], [])
        return [
            remaining(queue, user),
            night,
            Candidate.objects.count(),
            list(scene.row.candidate.difference_run.candidates.all()),
            list(scene.row.model_run.detections.all()),
            list(frame.detections.all()),
        ]

    before = told()
    inject(scene)
    assert told() == before
