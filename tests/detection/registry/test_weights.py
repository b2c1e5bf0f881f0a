import hashlib
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from catalog.failures import FailureCode, StageFailure
from catalog.files import storage
from catalog.models import AuditLog
from detection.models import Model
from detection.registry import weights

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data_root(settings, tmp_path: Path) -> Path:
    settings.ASTRID_DATA_ROOT = tmp_path / "data"
    return tmp_path / "data"


def card_file(folder: Path, content: bytes = b"weights one", version: str = "7", **changes: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "w.safetensors").write_bytes(content)
    values = {
        "name": "try",
        "version": version,
        "model_type": "classifier",
        "architecture": "any",
        "weights": "w.safetensors",
        "sha256": hashlib.sha256(content).hexdigest(),
        "metrics": {"precision": 0.9, "recall": 0.8, "f1_score": 0.85, "accuracy": 0.86, "auc": 0.95},
    }
    path = folder / "w.json"
    path.write_text(json.dumps(values | changes))
    return path


def test_the_shipped_model_becomes_the_active_one_once():
    first = weights.ensure_default_model()
    second = weights.ensure_default_model()
    assert first == second
    assert first.is_active
    assert Model.objects.count() == 1
    assert weights.weights_path(first).read_bytes() == weights.read_card(weights.DEFAULT_CARD).weights
    assert 0.9 < first.training_metrics["auc"] <= 1.0


def test_another_active_model_is_left_alone(tmp_path):
    mine = weights.register(weights.read_card(card_file(tmp_path / "a")), activate=True)
    assert weights.ensure_default_model() == mine


def test_activating_one_retires_the_other_and_says_so(tmp_path):
    old = weights.register(weights.read_card(card_file(tmp_path / "a", version="1")), activate=True)
    new = weights.register(weights.read_card(card_file(tmp_path / "b", b"two", version="2")), activate=True)
    old.refresh_from_db()
    assert new.is_active
    assert not old.is_active
    actions = list(AuditLog.objects.order_by("created_at").values_list("action", flat=True))
    assert actions.count("activate_model") == 2
    assert actions.count("deactivate_model") == 1


def test_other_weights_under_a_known_version_are_refused(tmp_path):
    weights.register(weights.read_card(card_file(tmp_path / "a")))
    with pytest.raises(weights.ModelRefused, match="another version"):
        weights.register(weights.read_card(card_file(tmp_path / "b", b"weights two")))


def test_weights_that_are_not_those_of_the_card_are_refused(tmp_path):
    path = card_file(tmp_path / "a")
    (tmp_path / "a" / "w.safetensors").write_bytes(b"others")
    with pytest.raises(weights.ModelRefused, match="sha256"):
        weights.read_card(path)


@pytest.mark.parametrize("changes", [{"name": ""}, {"model_type": "oracle"}, {"weights": "none.safetensors"}])
def test_a_card_that_lacks_something_is_refused(tmp_path, changes):
    with pytest.raises(weights.ModelRefused):
        weights.read_card(card_file(tmp_path / "a", **changes))


def test_a_page_instead_of_a_card_is_refused(tmp_path):
    path = tmp_path / "card.json"
    path.write_text("<html>")
    with pytest.raises(weights.ModelRefused, match="not a readable"):
        weights.read_card(path)


def test_a_card_cannot_name_weights_outside_its_folder(tmp_path):
    path = card_file(tmp_path / "a")
    path.write_text(path.read_text().replace("w.safetensors", "../outside.safetensors"))
    (tmp_path / "outside.safetensors").write_bytes(b"weights one")
    with pytest.raises(weights.ModelRefused, match="cannot be read"):
        weights.read_card(path)


def test_missing_or_changed_weights_stop_the_run_with_their_code_and_registering_heals_them(tmp_path):
    path = card_file(tmp_path / "a")
    model = weights.register(weights.read_card(path))
    storage.write_atomically(model.model_path, b"rotten")
    with pytest.raises(StageFailure) as failure:
        weights.weights_path(model)
    assert failure.value.code == FailureCode.MODEL_MISSING
    storage.remove(model.model_path)
    with pytest.raises(StageFailure, match="are missing"):
        weights.weights_path(model)
    weights.register(weights.read_card(path))
    assert weights.weights_path(model).read_bytes() == b"weights one"


def test_no_model_of_another_type_is_made_up():
    with pytest.raises(StageFailure) as failure:
        weights.ensure_default_model("anomaly_detector")
    assert failure.value.code == FailureCode.MODEL_MISSING


def test_the_command_registers_and_activates_and_refuses_with_a_sentence(tmp_path, capsys):
    call_command("register_model", str(card_file(tmp_path / "a")), "--activate")
    assert "try 7 is active" in capsys.readouterr().out
    assert Model.objects.get().is_active
    with pytest.raises(CommandError, match="not a readable"):
        call_command("register_model", str(tmp_path / "none.json"))
