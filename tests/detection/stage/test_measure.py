"""The golden set guards what is put to use: what is worse is refused with the figures, unless somebody says why."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command
from django.urls import reverse
from safetensors.torch import load, save

from catalog.failures import StageFailure
from catalog.models import AuditLog, ProcessingJob
from catalog.people import audit
from catalog.people.audit import Actor
from catalog.work import jobs
from detection.models import DataSet, Model
from detection.registry import golden, weights
from detection.stage import measure
from tests.browsers import client_of
from tests.factories import DataSetFactory, UserFactory

pytestmark = pytest.mark.django_db


def copy_of_default(folder: Path, version: str, *, spoil: float) -> Path:
    """Write a card of the shipped network with its last layers spoilt: 0 leaves it as it is."""
    card = json.loads(weights.DEFAULT_CARD.read_text())
    content = weights.read_card(weights.DEFAULT_CARD).weights
    tensors = load(content)
    torch.manual_seed(1)
    for last in [name for name in tensors if name.endswith("logits.weight")]:
        tensors[last] = tensors[last] + spoil * torch.randn_like(tensors[last])
    changed = save(tensors, metadata={"architecture": card["architecture"]})
    folder.mkdir(exist_ok=True)
    (folder / f"{version}.safetensors").write_bytes(changed)

    card |= {"version": version, "weights": f"{version}.safetensors", "sha256": hashlib.sha256(changed).hexdigest()}
    path = folder / f"{version}.json"
    path.write_text(json.dumps(card))
    return path


@pytest.fixture(autouse=True)
def _nothing_remembered():
    """Each test has a data root of its own, and what was measured there."""
    golden._compared.cache_clear()


@pytest.fixture
def active(empty_data_root) -> Model:
    return weights.ensure_default_model()


@pytest.fixture
def worse(active, tmp_path) -> Model:
    return weights.register(weights.read_card(copy_of_default(tmp_path / "cards", "bad", spoil=5.0)))


def person() -> Actor:
    return Actor(user=UserFactory())


def test_the_set_that_comes_with_the_code_is_small_of_several_cameras_and_both_classes(empty_data_root):
    assert measure.SHIPPED.stat().st_size <= 2_000_000
    row = measure.golden_set()
    of = measure.read(row)
    assert row.is_golden
    assert len(set(of.camera.tolist())) >= 3
    assert 0.4 < of.examples.is_real.mean() < 0.6
    assert measure.golden_set() == row


def test_a_worse_model_is_refused_with_the_figures_of_both_and_nothing_changes(active, worse):
    measure.measure(worse)
    with pytest.raises(weights.ModelRefused, match="area under the curve") as refusal:
        weights.activate(worse, person())
    assert "[" in str(refusal.value)
    found = weights.compared(worse)
    assert found is not None
    assert found.reasons
    assert {line.about for line in found.lines} == {"all", "kind", "camera", "S/N"}
    active.refresh_from_db()
    worse.refresh_from_db()
    assert active.is_active
    assert not worse.is_active


def test_with_a_written_reason_it_is_used_and_the_log_keeps_what_was_known(active, worse):
    measure.measure(worse)
    weights.activate(worse, person(), reason="The camera was exchanged.")
    worse.refresh_from_db()
    assert worse.is_active
    line = AuditLog.objects.get(action="activate_model", entity_id=str(worse.pk))
    assert line.change_summary == "The camera was exchanged."
    assert line.new_values["worse_on_golden_set"]


def test_one_that_is_as_good_is_put_to_use(active, tmp_path):
    same = weights.register(weights.read_card(copy_of_default(tmp_path / "cards", "same", spoil=1e-6)))
    measure.measure(same)
    assert weights.activate(same, person()).is_active


def test_what_was_not_measured_is_refused_and_its_measuring_ordered_after_which_it_is_used(active, tmp_path):
    same = weights.register(weights.read_card(copy_of_default(tmp_path / "cards", "same", spoil=1e-6)))
    with pytest.raises(weights.ModelRefused, match="not measured"):
        weights.activate(same, person())
    held = jobs.claim_next(["measure"], "me")
    assert held is not None
    jobs.do(held)
    assert weights.activate(same, person()).is_active


def test_weights_that_no_network_loads_cannot_be_measured_and_are_never_used(active, tmp_path):
    folder = tmp_path / "cards"
    path = copy_of_default(folder, "junk", spoil=0.0)
    card = json.loads(path.read_text())
    (folder / "junk.safetensors").write_bytes(b"junk")

    path.write_text(json.dumps(card | {"sha256": hashlib.sha256(b"junk").hexdigest()}))
    row = weights.register(weights.read_card(path))
    with pytest.raises(StageFailure, match="cannot be measured"):
        measure.measure(row)
    with pytest.raises(weights.ModelRefused):
        weights.activate(row, person())


def test_the_command_refuses_a_worse_model_and_takes_a_reason(active, tmp_path):
    card = str(copy_of_default(tmp_path / "cards", "bad", spoil=5.0))
    with pytest.raises(CommandError, match="worse on the golden set"):
        call_command("register_model", card, "--activate")
    assert Model.objects.get(version="bad").is_active is False
    call_command("register_model", card, "--activate", "--reason", "a test")
    assert Model.objects.get(version="bad").is_active is True


def test_a_site_s_own_golden_set_takes_the_place_of_the_shipped_one(active, worse):
    shipped = measure.golden_set()
    measure.measure(worse)
    of = measure.read(shipped)
    some, told = of.select(np.arange(0, len(of), 3)), measure.manifest_of(of, [])
    own = measure.write(some, "own", "1", told, is_golden=True, actor=audit.MACHINE)
    assert DataSet.objects.golden().get() == own
    # Measured on the other one: that says nothing of this one.
    assert weights.compared(worse) is None
    measure.measure(worse)
    assert weights.compared(worse) is not None


def test_an_altered_golden_set_is_refused_with_the_reason(active, worse, empty_data_root):
    row = measure.golden_set()
    path = empty_data_root / row.path / "examples.npz"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(StageFailure, match="sha256"):
        measure.measure(worse)


def test_the_first_model_of_a_site_needs_no_measuring(empty_data_root):
    weights.ensure_default_model()
    assert not DataSet.objects.exists()
    assert not ProcessingJob.objects.exists()


def test_what_is_kept_is_what_was_measured(active):
    measure.measure(active)
    kept = golden.known(active, measure.golden_set())
    assert kept is not None
    assert len(kept) == measure.golden_set().example_count


def test_the_page_shows_both_side_by_side_and_takes_a_reason(active, worse):
    measure.measure(worse)
    administrator = client_of("administrator")
    page, use = (reverse(f"detection:{name}", args=[worse.pk]) for name in ("model", "activate_model"))
    text = administrator.get(page).content.decode()
    assert "area under the curve" in text
    assert use in text
    assert use not in client_of("operator").get(page).content.decode()
    refused = administrator.post(use, {"reason": "  "}, follow=True).content.decode()
    assert "worse on the golden set" in refused
    worse.refresh_from_db()
    assert not worse.is_active
    administrator.post(use, {"reason": "The camera was exchanged."})
    worse.refresh_from_db()
    assert worse.is_active


def test_training_is_ordered_from_the_page_of_models_on_the_data_set_that_was_chosen(empty_data_root):
    data_set = DataSetFactory(name="mine", version="3")
    administrator = client_of("administrator")
    text = administrator.get(reverse("detection:models")).content.decode()
    assert 'value="mine:3"' in text
    answer = administrator.post(reverse("detection:order_training"), {"data_set": str(data_set)})
    job = ProcessingJob.objects.get(job_type="train")
    assert job.entity_id.endswith(" from mine:3")
    assert answer.headers["Location"] == reverse("catalog:job", args=[job.pk])
    administrator.post(reverse("detection:order_training"), {"data_set": "x" * 60})
    assert ProcessingJob.objects.count() == 1
