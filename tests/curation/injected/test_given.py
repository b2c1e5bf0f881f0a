"""What a person was given of injected sources is in the whole frame for them until they answer, and for nobody else."""

from __future__ import annotations

import io
import json
import re
from uuid import uuid4

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from catalog.models import AuditLog, SystemConfig, User
from curation.injected.ending import KEPT, end_old
from curation.injected.given import put_into
from curation.models import GoldAnswer, GoldItem, Note, ValidationEvent
from detection.models import Detection
from differencing.models import DifferenceRun
from differencing.numerics.pyramid import MIDDLE, TILE_PX
from tests.clients import account
from tests.curation.cutouts import cutouts, store
from tests.differencing.images import images, run_with_images
from tests.factories import (
    CandidateFactory,
    CandidateScoreFactory,
    DetectionFactory,
    GoldAnswerFactory,
    InjectedFactory,
    PreprocessRunFactory,
    SourceFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]
X, Y, KINDS = 60.2, 30.7, ("science", "reference", "difference")


@pytest.fixture(autouse=True)
def mixing() -> None:
    SystemConfig.objects.create(key="curation.fake_share", value=0.5)


@pytest.fixture
def run() -> DifferenceRun:
    made = run_with_images(candidates_found=1)
    PreprocessRunFactory(observation=made.observation, fwhm_px=3.2)
    return made


@pytest.fixture
def injected(run: DifferenceRun) -> Detection:
    place = {"pixel_x": X, "pixel_y": Y}
    candidate = CandidateFactory(difference_run=run, is_injected=True, significance=8.0, status="detected", **place)
    item = InjectedFactory(detection__candidate=candidate, **{f"detection__{name}": at for name, at in place.items()})
    store(item.detection, cutouts())
    return item.detection


@pytest.fixture
def real(run: DifferenceRun) -> Detection:
    """One that was found in the same frame."""
    candidate = CandidateFactory(difference_run=run, significance=9.0, status="detected", pixel_x=20.0, pixel_y=12.0)
    CandidateScoreFactory(candidate=candidate)
    return DetectionFactory(candidate=candidate, source=SourceFactory(), confidence_score=0.87)


def given_to(row: Detection) -> User:
    person = account("curator")
    GoldAnswerFactory(item=row.gold, person=person)
    return person


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def tile(client: Client, run: DifferenceRun, kind: str) -> np.ndarray:
    """Return what a page makes of the only tile, (ny, nx) counts."""
    answer = client.get(reverse("differencing:tile", args=[run.pk, kind, 0, 0, 0]))
    head, _, body = answer.content.partition(b"\n")
    told, count = json.loads(head), TILE_PX * TILE_PX
    parts = np.frombuffer(body[: 4 * count], np.uint8).reshape(4, TILE_PX, TILE_PX).astype(np.uint32)
    codes = sum(part << np.uint32(8 * k) for k, part in enumerate(parts))
    values = told["zero"] + (codes.astype(np.float64) - MIDDLE) * told["step"]
    return np.where(codes == 0, np.nan, values)


def test_the_tiles_of_the_whole_frame_hold_it_for_its_person_alone(run, injected):
    mine, others = client_of(given_to(injected)), client_of(account("curator"))
    stamp, stored = cutouts(), images()
    for k, kind in enumerate(KINDS):
        seen, plain = tile(mine, run, kind), tile(others, run, kind)
        y, x = round(Y), round(X)
        inside = seen[y - 5 : y + 6, x - 5 : x + 6]
        # A value comes back within 1/256 of the tile's noise, which the bright sky of the cutout is part of.
        assert np.allclose(inside, stamp[k, 26:37, 26:37], atol=3.0), kind
        assert np.allclose(plain[1:64, 6:96], stored[kind][1:, 6:], atol=0.5), kind
    score, plain = tile(mine, run, "score"), tile(others, run, "score")
    assert score[31, 60] == pytest.approx(8.0, abs=0.3)
    assert score[31, 30] == pytest.approx(plain[31, 30], abs=0.05)


def test_pictures_hold_it_too_and_are_kept_for_nobody_else(run, injected):
    mine, others = client_of(given_to(injected)), client_of(account("viewer"))
    address = reverse("differencing:picture", args=[run.pk, "difference"])
    first, second = mine.get(address), others.get(address)
    seen, plain = (np.asarray(Image.open(io.BytesIO(answer.content))) for answer in (first, second))
    assert seen[64 - 1 - 31, 60] != plain[64 - 1 - 31, 60]
    assert first["ETag"] != second["ETag"]
    assert {len(answer["ETag"]) for answer in (first, second)} == {26}


def test_the_page_of_the_frame_shows_it_as_it_shows_what_was_found(run, injected, real):
    client = client_of(given_to(injected))
    address = reverse("differencing:difference", args=[run.pk])
    page = client.get(address).content.decode()
    rows = {}
    for row in (injected, real):
        [ring] = re.findall(rf'<a class="ring (\w+)" href="#candidate-{row.candidate_id}"', page)
        [line] = re.findall(rf'<tr id="candidate-{row.candidate_id}".*?</tr>', page, flags=re.S)
        rows[row.pk] = (
            ring,
            len(re.findall("<td", line)),
            reverse("detection:of_candidate", args=[row.candidate_id]) in line,
        )
    assert rows[injected.pk] == rows[real.pk] == ("detected", 8, True)
    assert re.search(r"<dt>Candidates</dt><dd>2</dd>", page)
    assert "2 candidates" in client.get(reverse("differencing:runs_of", args=[run.observation_id])).content.decode()
    over = client.get(reverse("detection:over_frame", args=[run.pk])).json()["objects"]
    assert {one["url"] for one in over} == {reverse("curation:detection", args=[row.pk]) for row in (injected, real)}
    of_others = client_of(account("curator")).get(address).content.decode()
    assert str(injected.candidate_id) not in of_others
    notice = "A source that was injected"
    assert notice in page and notice in of_others
    assert notice not in client_of(account("viewer")).get(address).content.decode()


@pytest.mark.parametrize("over", ["answered", "ended"])
def test_after_the_answer_the_frame_is_as_it_is_stored(run, injected, over):
    person = given_to(injected)
    assert len(put_into(run, person)) == 1
    if over == "answered":
        GoldAnswer.objects.update(is_valid=False)
    else:
        GoldItem.objects.update(is_active=False)
    assert put_into(run, person) == []
    page = client_of(person).get(reverse("differencing:difference", args=[run.pk])).content.decode()
    assert str(injected.candidate_id) not in page


def test_clients_find_it_by_its_key_as_anything_that_was_found_and_in_no_list(run, injected, real):
    client = client_of(given_to(injected))
    stranger, viewer = client_of(account("curator")), client_of(account("viewer"))
    for resource, key, other in (
        ("detections", injected.pk, real.pk), ("candidates", injected.candidate_id, real.candidate_id)
    ):  # fmt: skip
        address = f"/api/v1/{resource}/{key}/"
        found, usual = client.get(address).json(), client.get(f"/api/v1/{resource}/{other}/").json()
        assert {name: type(value) for name, value in found.items()} == {
            name: type(value) for name, value in usual.items()
        }
        assert stranger.get(address).status_code == viewer.get(address).status_code == 404
        listed = client.get(f"/api/v1/{resource}/").json()["results"]
        assert [row["id"] for row in listed] == [str(other)], "lists hold science alone"


def test_no_score_is_told_of_what_waits_while_some_of_it_may_have_none(injected, real):
    address = "/api/v1/candidate-scores/"
    client = client_of(given_to(injected))
    for row in (injected, real):
        assert client.get(f"{address}?candidate={row.candidate_id}").json()["results"] == []
    assert len(client_of(account("viewer")).get(address).json()["results"]) == 1
    SystemConfig.objects.update(is_active=False)
    assert len(client.get(address).json()["results"]) == 1


def test_its_source_has_a_key_of_its_own(injected):
    client = client_of(given_to(injected))
    page = client.get(reverse("curation:detection", args=[injected.pk])).content.decode()
    [key] = set(re.findall(r"/sources/([0-9a-f-]{36})/", page))
    assert key != str(injected.pk)
    assert str(injected.pk) in client.get(f"/sources/{key}/").content.decode()


def test_a_note_on_it_is_kept_and_shown_as_any_other(injected):
    person = given_to(injected)
    client = client_of(person)
    answer = client.post(reverse("curation:write_note", args=[injected.pk]), {"text": "Close to a galaxy"}, follow=True)
    assert answer.status_code == 200
    assert "Close to a galaxy" in answer.content.decode()
    assert AuditLog.objects.filter(action="note_written").exists()
    GoldItem.objects.update(created_at=GoldItem.objects.get().created_at - 2 * KEPT)
    GoldAnswer.objects.all().delete()
    assert end_old() == 1
    assert Note.objects.get().detection_id == injected.pk, "what people wrote is not deleted"


def test_the_blind_do_not_read_what_others_noted_on_it(injected, real):
    SystemConfig.objects.create(key="curation.blind", value=True)
    other, client = account("curator"), client_of(given_to(injected))
    for row in (injected, real):
        client_of(other).post(reverse("curation:write_note", args=[row.pk]), {"text": "A nova, surely"})
        page = client.get(reverse("curation:detection", args=[row.pk])).content.decode()
        assert "A nova, surely" not in page
    pages = [client.get(reverse("curation:detection", args=[row.pk])) for row in (injected, real)]
    assert pages[0].context["is_blind"] is pages[1].context["is_blind"] is True


@pytest.mark.parametrize("beside", [0, 1])
def test_a_frame_is_rejected_with_it_and_nothing_is_kept_of_that(run, injected, beside):
    person = given_to(injected)
    if beside:
        DetectionFactory(candidate=CandidateFactory(difference_run=run))
    count = 1 + beside
    client = client_of(person)
    preview = client.get(reverse("curation:triage_frame") + f"?detection={injected.pk}", headers={"HX-Request": "true"})
    words = re.sub(r"\s+", " ", preview.content.decode())
    assert f"{count} detection{'s' * beside} of {count} object{'s' * beside} will be called bogus" in words
    sent = {"window": str(uuid4()), "person": str(person.pk), "detection": str(injected.pk), "group": str(uuid4())}
    for _ in range(2):
        answer = client.post(reverse("curation:triage_reject_frame"), json.dumps(sent), content_type="application/json")
        assert answer.status_code == 200
        assert len(answer.json()["detections"]) == count and str(injected.pk) in answer.json()["detections"]
    assert ValidationEvent.objects.count() == beside
    assert GoldAnswer.objects.get().is_valid is None
