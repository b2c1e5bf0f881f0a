import numpy as np
import pytest
import torch

from detection.numerics.segmentation.infer import TRAIL, segment
from detection.numerics.segmentation.train import LearningParameters, learn, loss_of
from tests.detection.numerics.segmentation.conftest import blank
from tests.detection.numerics.segmentation.test_scenes import plain

QUICK = LearningParameters(seed=3, epochs=2, scenes=8, side=64, batch=4)


def test_the_same_seed_gives_the_same_weights_and_another_others():
    first, second, other = (
        learn([plain(), plain(2)], LearningParameters(seed=seed, epochs=1, scenes=4, side=64, batch=4))
        for seed in (1, 1, 2)
    )
    assert first.weights == second.weights
    assert first.weights != other.weights


def test_loss_falls_and_what_is_learned_can_be_used(tmp_path):
    losses = []
    longer = LearningParameters(seed=3, epochs=5, scenes=48, side=64, batch=4)
    made = learn([plain(), plain(2)], longer, lambda epoch, loss: losses.append(loss))
    assert losses[-1] < losses[0]
    path = tmp_path / "w.safetensors"
    path.write_bytes(made.weights)
    assert made.hyperparameters["parameter_count"] < 500_000
    assert len(made.weights) < 1_000_000
    found = segment(*blank((96, 96)), path, fwhm_px=3.0)
    assert found.bits.shape == (96, 96)
    assert not (found.bits & ~np.uint8(3)).any()
    assert TRAIL == 1


def test_what_is_left_open_costs_nothing():
    logits = torch.full((1, 2, 8, 8), -20.0)
    classes, weight = torch.zeros(1, 2, 8, 8), torch.ones(1, 1, 8, 8)
    logits[..., :4], weight[..., :4] = 20.0, 0.0
    assert float(loss_of(logits, classes, weight)) < 1e-6
    assert float(loss_of(logits, classes, torch.ones_like(weight))) > 1.0


def test_without_subtractions_of_the_size_there_is_nothing_to_learn():
    with pytest.raises(ValueError, match="at least 64 px"):
        learn([], QUICK)
    with pytest.raises(ValueError, match="at least 64 px"):
        learn([plain(side=48)], QUICK)
