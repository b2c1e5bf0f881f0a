"""Trails are drawn where wanted, once, beside the difference; candidates in them are flagged."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from astrid_site.night.foreground import run_stage
from catalog.configuration.values import set_value
from catalog.failures import FailureCode
from catalog.files import storage
from catalog.models import JobStatus, ProcessingJob, RunStatus
from catalog.people.audit import MACHINE
from detection.models import Detection, ModelRun, ModelType
from detection.numerics.segmentation.network import ARCHITECTURE
from detection.registry.weights import ensure_default_model, read_card, register
from detection.stage import trails
from differencing.models import Candidate
from observations.numerics.fits.mapped import map_images
from tests.detection.numerics.segmentation.conftest import untrained
from tests.factories import CandidateFactory


def detect(observation):
    run_stage("detect", "observation", [(observation.pk, "frame")], lambda line: None)
    return ProcessingJob.objects.filter(job_type="detect", entity_id=str(observation.pk)).latest("created_at")


def runs():
    return ModelRun.objects.filter(model__model_type=ModelType.UNET)


@pytest.fixture
def model(tmp_path, night):
    """Trails are wanted, and a model of untrained weights draws them."""
    path = untrained(tmp_path / "w.safetensors")
    card = {
        "name": "trails", "version": "untrained", "model_type": "unet", "architecture": ARCHITECTURE,
        "weights": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }  # fmt: skip
    (tmp_path / "w.json").write_text(json.dumps(card))
    set_value(trails.SEGMENTATION, True, MACHINE)
    return register(read_card(tmp_path / "w.json"), activate=True)


def test_nothing_is_drawn_where_it_is_not_wanted(night):
    detect(night.good[0])
    assert not runs().exists()


def test_both_maps_lie_beside_the_difference_on_the_sky_of_the_frame(night, model):
    observation = night.good[0]
    assert detect(observation).status == JobStatus.COMPLETED
    run = runs().get(observation=observation)
    assert (run.model, run.status) == (model, RunStatus.COMPLETED)
    assert run.inference_time_ms > 0
    assert run.output_mask_path.rpartition("/trails-")[0] == run.input_image_path.rpartition("/")[0]
    shape = (observation.image_height, observation.image_width)
    with fits.open(storage.open_stored(run.output_mask_path)) as mask:
        assert mask[0].data.shape == shape
        assert mask[0].data.dtype == np.uint8
        sky = WCS(mask[0].header)
    with fits.open(storage.open_stored(run.confidence_map_path)) as confidence:
        side = confidence[0].header["SQUARE"]
        assert confidence[0].data.shape == tuple(-(-n // side) for n in shape)
        coarse = WCS(confidence[0].header)
    difference = map_images(storage.open_stored(run.input_image_path)).wcs()
    place = [[100.0, 60.0]]
    np.testing.assert_allclose(sky.all_pix2world(place, 0), difference.all_pix2world(place, 0), atol=1e-9)
    # The middle of a square stands where its pixels do.
    square = [[(x + 0.5) / side - 0.5 for x in place[0]]]
    np.testing.assert_allclose(coarse.all_pix2world(square, 0), difference.all_pix2world(place, 0), atol=1e-8)


def test_a_repeat_draws_nothing_again_and_a_lost_mask_is_drawn_as_it_was(night, model):
    observation = night.good[0]
    detect(observation)
    before = runs().get()
    content = storage.open_stored(before.output_mask_path).read_bytes()
    detect(observation)
    assert runs().get().completed_at == before.completed_at
    storage.remove(before.output_mask_path)
    detect(observation)
    again = runs().get()
    assert again.completed_at > before.completed_at
    assert storage.open_stored(again.output_mask_path).read_bytes() == content


def test_turning_it_on_later_changes_no_score_and_no_detection(night, model):
    observation = night.good[0]
    names = ("pk", "confidence_score", "status", "source_id")
    before = list(Detection.objects.filter(observation=observation).order_by("pk").values(*names))
    detect(observation)
    assert list(Detection.objects.filter(observation=observation).order_by("pk").values(*names)) == before


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_without_its_weights_no_mask_is_invented(night, model, damage):
    path = storage.resolve(model.model_path)
    path.unlink()
    if damage == "changed":
        path.write_bytes(b"other weights")
    job = detect(night.good[0])
    assert (job.status, job.failure_code) == (JobStatus.FAILED, FailureCode.MODEL_MISSING)
    run = runs().get()
    assert (run.status, run.failure_code, run.output_mask_path) == (RunStatus.FAILED, FailureCode.MODEL_MISSING, "")
    assert "register_model" in run.error_message


@pytest.mark.django_db
@pytest.mark.usefixtures("empty_data_root")
def test_the_shipped_network_becomes_the_active_one():
    model = ensure_default_model(ModelType.UNET)
    assert model.is_active
    assert model.architecture == ARCHITECTURE
    assert model.recall > 0.9


@pytest.mark.django_db
def test_what_lies_in_a_trail_is_flagged_with_its_share_and_no_longer_when_it_does_not():
    inside, beside = (CandidateFactory(pixel_x=30.0, pixel_y=y, vetoes=[]) for y in (20.0, 40.0))
    other = {"code": "crowded", "value": 5.0, "message": "Many."}
    Candidate.objects.filter(pk=inside.pk).update(vetoes=[other])
    inside.refresh_from_db()
    mask = np.zeros((64, 64), dtype=np.uint8)
    mask[18:23] = 1
    mask[38:43] = 2
    trails.note([inside, beside], trails.Drawn(mask, 3.0))
    inside.refresh_from_db()
    beside.refresh_from_db()
    assert [veto["code"] for veto in inside.vetoes] == ["crowded", "trail"]
    assert inside.vetoes[1]["value"] == 1.0
    assert "100% of its core" in inside.vetoes[1]["message"]
    assert beside.vetoes == []
    trails.note([inside], None)
    assert inside.vetoes == [other]


def test_the_core_is_what_lies_within_half_a_width_and_in_the_image():
    mask = np.zeros((40, 40), dtype=np.uint8)
    mask[:, 20:] = 1
    assert trails.share_of_core(mask, 30.0, 20.0, 6.0) == 1.0
    assert trails.share_of_core(mask, 10.0, 20.0, 6.0) == 0.0
    assert trails.share_of_core(mask, 19.5, 20.0, 6.0) == pytest.approx(0.5, abs=0.1)
    assert trails.share_of_core(mask, 39.4, 0.0, 6.0) == 1.0
    assert trails.share_of_core(mask, 60.0, 20.0, 6.0) == 0.0
