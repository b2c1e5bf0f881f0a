import pytest
from django.core.management import CommandError, call_command

from detection.numerics.segmentation.train import LearningParameters
from detection.registry import weights
from detection.stage import train_trails
from tests.detection.numerics.segmentation.test_scenes import plain


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """Stand in for the simulation, which takes minutes, and for scenes of full size."""
    monkeypatch.setattr(train_trails, "make_plain", lambda data, index: plain(index) if index else None)
    monkeypatch.setattr(
        train_trails, "LearningParameters", lambda *given, threads: LearningParameters(*given, 64, 4, threads=threads)
    )


def train(folder, *more):
    call_command(
        "train_segmentation", "--pairs", "3", "--epochs", "1", "--scenes", "4",
        "--out", str(folder), "--model-version", "try", *more,
    )  # fmt: skip


def test_the_command_writes_weights_and_a_card_that_the_registry_takes(tmp_path, capsys):
    train(tmp_path)
    card = weights.read_card(tmp_path / "trails-try.json")
    assert card.model_type == "unet"
    assert "2 of 3 simulated pairs" in card.training_dataset
    assert card.metrics["trails"] == 4
    assert "epoch 1: loss" in capsys.readouterr().err


def test_the_same_seed_writes_the_same_weights_and_another_others(tmp_path):
    for folder, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        train(tmp_path / folder, "--seed", seed)
    first, second, other = ((tmp_path / folder / "trails-try.safetensors").read_bytes() for folder in ("a", "b", "c"))
    assert first == second != other


def test_without_a_pair_that_subtracts_there_is_nothing_to_learn(tmp_path, monkeypatch):
    monkeypatch.setattr(train_trails, "make_plain", lambda data, index: None)
    with pytest.raises(CommandError, match="too few of the simulated pairs"):
        train(tmp_path)
    assert not list(tmp_path.iterdir())
