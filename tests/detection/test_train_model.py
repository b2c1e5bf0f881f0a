import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from detection.numerics.examples import Examples
from detection.numerics.infer import score
from detection.registry import weights
from detection.stage import training


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
