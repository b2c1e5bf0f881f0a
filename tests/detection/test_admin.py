from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from catalog.files import storage
from catalog.models import AuditLog
from catalog.people import audit
from detection.cutouts import pictures
from detection.models import Model
from detection.registry import weights
from differencing.models import Candidate
from tests.browsers import page, staff_of
from tests.factories import CandidateFactory, DetectionFactory, ModelFactory, UserFactory, digest

pytestmark = pytest.mark.django_db


def store(path: str, content: np.ndarray) -> str:
    buffer = io.BytesIO()
    np.save(buffer, content)
    return storage.write_atomically(path, buffer.getvalue())


def stamps() -> np.ndarray:
    return np.random.default_rng(3).normal(0.0, 1.0, (4, 63, 63)).astype(np.float32)


def with_weights(**values: object) -> Model:
    weights = f"weights of {values}"
    model = ModelFactory(weights_sha256=digest(weights), **values)
    storage.write_atomically(model.model_path, weights.encode())
    return model


def test_the_cutouts_of_a_candidate_are_a_picture_small_in_lists(empty_data_root: Path):
    candidate = CandidateFactory()
    store(pictures.path_of(candidate.observation_id, candidate.pk), stamps())
    url = f"/admin/detection/detection/cutouts/{candidate.observation_id}/{candidate.pk}.png"
    operator = staff_of("operator")
    sizes = []
    for address in (url, f"{url}?small"):
        answer = operator.get(address)
        assert answer.headers["Content-Type"] == "image/png"
        sizes.append(Image.open(io.BytesIO(answer.content)).size)
    assert sizes == [(3 * 189 + 8, 189), (3 * 82 + 8, 82)]
    assert url in operator.get(page("differencing.candidate", "change", candidate.pk)).content.decode()


def test_the_stage_writes_cutouts_where_the_page_looks_for_them(night):
    keys = list(Candidate.objects.values_list("observation_id", "pk"))
    assert keys
    assert all(pictures.picture(pictures.path_of(*key), is_small=True) for key in keys)


@pytest.mark.parametrize("content", [None, np.zeros(5), np.zeros((3, 5, 5))])
def test_what_is_no_cutout_is_not_found(empty_data_root: Path, content: np.ndarray | None):
    candidate = CandidateFactory()
    if content is not None:
        store(pictures.path_of(candidate.observation_id, candidate.pk), content)
    url = f"/admin/detection/detection/cutouts/{candidate.observation_id}/{candidate.pk}.png"
    assert staff_of("operator").get(url).status_code == 404


def test_pickled_objects_are_no_cutouts(empty_data_root: Path):
    path = store("cutouts/x.npy", np.array([{"a": 1}], dtype=object))
    assert pictures.picture(path, is_small=False) is None


def test_nobody_sees_cutouts_without_leave():
    candidate = CandidateFactory()
    url = f"/admin/detection/detection/cutouts/{candidate.observation_id}/{candidate.pk}.png"
    assert Client().get(url).status_code == 302
    stranger = Client()
    stranger.force_login(UserFactory())
    assert stranger.get(url).status_code == 403


def test_a_detection_links_to_its_source_frame_and_candidate():
    detection = DetectionFactory()
    text = staff_of("operator").get(page("detection.detection", "change", detection.pk)).content.decode()
    for model, row in [
        ("detection.source", detection.source_id),
        ("observations.observation", detection.observation_id),
        ("differencing.candidate", detection.candidate_id),
    ]:
        assert page(model, "change", row) in text


def test_activating_a_model_takes_the_place_of_the_active_one(empty_data_root: Path):
    old, new = with_weights(version="1", is_active=True), with_weights(version="2")
    # Neither can be scored: what the golden set says is tested in stage/test_measure.py.
    weights.activate(new, audit.Actor(UserFactory(username="ada")), reason="They are not networks.")
    assert [model.version for model in Model.objects.filter(is_active=True)] == ["2"]
    assert Model.objects.get(pk=new.pk).deployment_date is not None
    written = AuditLog.objects.order_by("id").values_list("action", "entity_id", "user")
    assert list(written) == [("deactivate_model", str(old.pk), "ada"), ("activate_model", str(new.pk), "ada")]


def test_a_model_whose_weights_are_gone_or_changed_is_not_activated(empty_data_root: Path):
    changed, gone = with_weights(version="1"), ModelFactory(version="2")
    storage.write_atomically(changed.model_path, b"other")
    for model in (changed, gone):
        with pytest.raises(weights.ModelRefused, match="register_model"):
            weights.activate(model, audit.MACHINE)
    assert not Model.objects.filter(is_active=True).exists()
    assert not AuditLog.objects.exists()


def test_only_an_administrator_activates_from_the_page(empty_data_root: Path):
    model = with_weights(version="1")
    url = f"/admin/detection/model/{model.pk}/activate/"
    assert staff_of("operator").post(url, {"_form_submitted": "on"}).status_code == 403
    administrator = staff_of("administrator")
    assert url in administrator.get(page("detection.model", "change", model.pk)).content.decode()
    administrator.post(url, {"_form_submitted": "on"})
    assert Model.objects.get().is_active
    assert url not in administrator.get(page("detection.model", "change", model.pk)).content.decode()
