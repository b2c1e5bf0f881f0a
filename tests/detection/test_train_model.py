import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from catalog.people import audit
from detection.models import DataSet
from detection.numerics.examples import Examples
from detection.numerics.infer import score
from detection.numerics.parts import CALIBRATION, TEST, TRAIN
from detection.registry import weights
from detection.stage import training
from detection.stage.datasets import stored
from tests.detection.numerics.gathering import independent


def quick_set(parameters, progress=None) -> Examples:
    """Stand in for the simulation, which takes minutes: noise, with a bright middle in what is real."""
    rng = np.random.default_rng(parameters.seed)
    count = 20 * parameters.pairs
    is_real = np.arange(count) % 2 == 0
    stamps = rng.normal(0.0, 1.0, (count, 4, 63, 63)).astype(np.float16)
    stamps[:, 3] = 0.0
    stamps[is_real, 2, 30:33, 30:33] += 4.0
    for pair in range(parameters.pairs if progress is not None else 0):
        progress(pair + 1, 20 * (pair + 1))
    kind = np.where(is_real, "hostless", "bogus")
    group = (np.arange(count) // 20).astype(str)
    same = [np.full(count, value, dtype=np.float32) for value in (3.0, 9.0)]
    return Examples(stamps, same[0], is_real, kind, group, same[1])


@pytest.fixture(autouse=True)
def _without_simulation(monkeypatch):
    monkeypatch.setattr(training, "make_training_set", quick_set)


def test_the_command_writes_weights_that_score_and_a_card_that_the_registry_takes(tmp_path):
    call_command("train_model", "--pairs", "12", "--epochs", "2", "--out", str(tmp_path), "--model-version", "try")
    card = weights.read_card(tmp_path / "realbogus-try.json")
    assert card.hyperparameters["training_set"]["pairs"] == 12
    assert card.metrics["n_real"] > 0
    stamps = np.random.default_rng(1).normal(0.0, 1.0, (3, 4, 63, 63)).astype(np.float32)
    assert np.isfinite(score(stamps, tmp_path / "realbogus-try.safetensors", fwhm_px=3.0)).all()


def test_the_same_seed_writes_the_same_weights(tmp_path):
    for folder in ("a", "b"):
        call_command(
            "train_model", "--pairs", "8", "--epochs", "1", "--out", str(tmp_path / folder), "--model-version", "1"
        )
    first, second = ((tmp_path / folder / "realbogus-1.safetensors").read_bytes() for folder in ("a", "b"))
    assert first == second


def test_it_says_how_far_it_is_and_no_clock_cuts_it_short(tmp_path, monkeypatch, capsys):
    moments = iter(range(0, 10**9, 10**6))
    monkeypatch.setattr(training.time, "monotonic", lambda: float(next(moments)))
    call_command("train_model", "--pairs", "12", "--epochs", "2", "--out", str(tmp_path), "--model-version", "1")
    card = json.loads((tmp_path / "realbogus-1.json").read_text())
    assert card["hyperparameters"]["training_set"]["pairs"] == 12
    said = capsys.readouterr().err
    assert "10 of 12 pairs, 200 examples" in said and "12 of 12 pairs, 240 examples" in said
    assert "epoch 2: loss" in said


def test_by_default_a_version_of_its_own_lies_in_the_data_root(empty_data_root):
    call_command("train_model", "--pairs", "12", "--epochs", "1")
    [card] = (empty_data_root / "training").glob("realbogus-*.json")
    assert weights.read_card(card).version not in ("", "1")


def test_too_few_pairs_are_refused_with_a_sentence(tmp_path):
    with pytest.raises(CommandError, match="cannot be trained on"):
        call_command("train_model", "--pairs", "1", "--out", str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def data_set_in_root() -> DataSet:
    of = independent(240)
    exposures = np.unique(of.examples.group)
    held = [np.isin(of.examples.group, exposures[start : start + 4]) for start in (0, 4)]
    part = np.select(held, [TEST, CALIBRATION], TRAIN)
    return stored.write(of.divided(part), "mine", "1", {"origins": []}, is_golden=False, actor=audit.MACHINE)


def on_data_set(out, version: str = "1") -> dict:
    call_command("train_model", "--dataset", "mine:1", "--epochs", "3", "--out", str(out), "--model-version", version)
    return json.loads((out / f"realbogus-{version}.json").read_text())


@pytest.mark.django_db
def test_a_data_set_is_trained_on_in_its_own_parts_and_named_on_the_card(empty_data_root, tmp_path):
    row = data_set_in_root()
    card = on_data_set(tmp_path / "out")
    assert card["hyperparameters"]["data_set"] == {"name": "mine", "version": "1", "sha256": row.sha256, "left_out": 0}
    assert card["metrics"]["n_real"] + card["metrics"]["n_bogus"] == 40
    assert {share["about"] for share in card["report"]["shares_called_real"]} == {"all", "kind", "camera", "S/N"}
    assert "4 exposures" in card["report"]["intervals"]
    assert any("simulated frames alone" in limit for limit in card["report"]["limits"])
    assert weights.register(weights.read_card(tmp_path / "out" / "realbogus-1.json")).data_set == row


@pytest.mark.django_db
def test_what_the_golden_set_holds_is_not_trained_with(empty_data_root, tmp_path, capsys):
    data_set_in_root()
    of = independent(240)
    golden = of.select(of.examples.group == "simulated 1 20").divided(np.full(10, TEST))
    stored.write(golden, "golden", "9", {"origins": []}, is_golden=True, actor=audit.MACHINE)
    assert on_data_set(tmp_path / "out")["hyperparameters"]["data_set"]["left_out"] == 10
    assert "left out" in capsys.readouterr().err


@pytest.mark.django_db
def test_a_training_that_was_cut_off_goes_on_and_writes_the_same_bytes(empty_data_root, tmp_path, monkeypatch, capsys):
    data_set_in_root()
    whole = on_data_set(tmp_path / "whole")
    keep = training.storage.write_whole

    def cut_off(path, content):
        keep(path, content)
        if path.suffix == ".checkpoint":
            raise KeyboardInterrupt

    monkeypatch.setattr(training.storage, "write_whole", cut_off)
    with pytest.raises(KeyboardInterrupt):
        on_data_set(tmp_path / "cut")
    monkeypatch.undo()
    assert [path.name for path in (tmp_path / "cut").iterdir()] == ["realbogus-1.checkpoint"]
    capsys.readouterr()
    assert on_data_set(tmp_path / "cut")["sha256"] == whole["sha256"]
    said = capsys.readouterr().err
    assert "going on" in said
    assert "epoch 1:" not in said
    assert not (tmp_path / "cut" / "realbogus-1.checkpoint").exists()


@pytest.mark.django_db
def test_an_altered_data_set_is_refused_with_the_reason(empty_data_root, tmp_path):
    row = data_set_in_root()
    path = empty_data_root / row.path / "examples.npz"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(CommandError, match="sha256"):
        on_data_set(tmp_path / "out")
