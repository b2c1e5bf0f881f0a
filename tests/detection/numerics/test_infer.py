from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from detection.numerics.infer import BATCH, WeightsRefused, score, weights_sha256
from detection.numerics.networks import OneView


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(4)
    path = tmp_path / "weights.safetensors"
    save_file(OneView().state_dict() | {"temperature": torch.tensor([1.5])}, path)
    return path


def noise(n: int, seed: int = 6) -> np.ndarray:
    stamps = np.random.default_rng(seed).normal(50.0, 4.0, (n, 4, 63, 63)).astype(np.float32)
    stamps[:, 3] = 0.0
    return stamps


def test_scores_are_probabilities_in_the_order_of_the_stamps(weights):
    stamps = noise(BATCH + 5)
    scores = score(stamps, weights, fwhm_px=3.0)
    assert scores.shape == (BATCH + 5,)
    assert ((scores > 0) & (scores < 1)).all()
    # Other batch sizes sum in another order in float32.
    np.testing.assert_allclose(score(stamps[::-1], weights, fwhm_px=3.0)[::-1], scores, atol=1e-5)


def test_an_unknown_stamp_has_no_score_and_its_neighbours_keep_theirs(weights):
    stamps = noise(4)
    before = score(stamps, weights, fwhm_px=3.0)
    stamps[1, 2] = np.nan
    stamps[2, :3] = np.nan
    after = score(stamps, weights, fwhm_px=3.0)
    assert np.isnan(after).tolist() == [False, True, True, False]
    np.testing.assert_allclose(after[[0, 3]], before[[0, 3]], atol=1e-6)


def test_an_infinite_pixel_never_becomes_a_score_of_its_own(weights):
    stamps = noise(1)
    stamps[0, 2, 5, 5] = np.inf
    assert np.isfinite(score(stamps, weights, fwhm_px=3.0)).all()
    stamps[0, 2] = np.inf
    assert np.isnan(score(stamps, weights, fwhm_px=3.0)).all()


def test_no_stamps_give_no_scores(weights):
    assert score(noise(0), weights, fwhm_px=3.0).shape == (0,)


def test_missing_weights_are_an_error_and_not_a_middling_score(tmp_path):
    with pytest.raises(FileNotFoundError):
        score(noise(1), tmp_path / "none.safetensors", fwhm_px=3.0)


def test_a_file_that_is_no_safetensors_is_refused(tmp_path):
    path = tmp_path / "page.safetensors"
    path.write_bytes(b"<html>not found</html>")
    with pytest.raises(WeightsRefused, match="not a safetensors"):
        score(noise(1), path, fwhm_px=3.0)


def test_weights_of_another_network_are_refused(weights, tmp_path):
    tensors = load_file(weights)
    del tensors["layers.0.weight"]
    other = tmp_path / "other.safetensors"
    save_file(tensors, other)
    with pytest.raises(WeightsRefused, match="does not fit"):
        score(noise(1), other, fwhm_px=3.0)


def test_weights_without_a_calibration_or_not_finite_are_refused(weights, tmp_path):
    tensors = load_file(weights)
    bare, broken = tmp_path / "bare.safetensors", tmp_path / "broken.safetensors"
    save_file({name: tensor for name, tensor in tensors.items() if name != "temperature"}, bare)
    save_file(tensors | {"layers.0.weight": tensors["layers.0.weight"] * float("nan")}, broken)
    with pytest.raises(WeightsRefused, match="calibration"):
        score(noise(1), bare, fwhm_px=3.0)
    with pytest.raises(WeightsRefused, match="not finite"):
        score(noise(1), broken, fwhm_px=3.0)


def test_the_thread_count_is_put_back(weights):
    before = torch.get_num_threads()
    score(noise(1), weights, fwhm_px=3.0, threads=before + 1)
    assert torch.get_num_threads() == before


def test_the_hash_is_that_of_the_file(weights):
    first = weights_sha256(weights)
    weights.write_bytes(weights.read_bytes() + b" ")
    assert len(first) == 64
    assert weights_sha256(weights) != first
