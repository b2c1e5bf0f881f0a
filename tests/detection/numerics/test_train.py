from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from detection.numerics.examples import Examples, standardised
from detection.numerics.infer import score
from detection.numerics.learning import augment, swapped
from detection.numerics.train import Hooks, Parts, TrainingParameters, split, train, train_parts

QUICK = TrainingParameters(seed=3, epochs=6, batch=32)


def raw_stamps(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Real: a star in science and difference. Bogus: a single bright pixel there."""
    rng = np.random.default_rng(seed)
    stamps = rng.normal(0.0, 1.0, (n, 4, 63, 63)).astype(np.float32)
    stamps[:, 3] = 0.0
    is_real = np.arange(n) % 2 == 0
    y, x = np.mgrid[:63, :63] - 31
    star = 12.0 * np.exp(-4 * np.log(2) * (x**2 + y**2) / 9.0)
    stamps[is_real, 0] += star
    stamps[is_real, 2] += star
    stamps[~is_real, 0, 31, 31] += 40.0
    stamps[~is_real, 2, 31, 31] += 40.0
    return stamps, is_real


def easy_set(n: int = 240, seed: int = 1) -> Examples:
    stamps, is_real = raw_stamps(n, seed)
    kind = np.where(is_real, "hostless", "bogus")
    group = (np.arange(n) // 2 % 20).astype(str)
    same = [np.full(n, value, dtype=np.float32) for value in (3.0, 9.0)]
    return Examples(standardised(stamps), same[0], is_real, kind, group, same[1])


@pytest.fixture(scope="module")
def trained():
    return train(easy_set(), QUICK)


def test_stars_are_told_from_hot_pixels_after_six_epochs(trained, tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_bytes(trained.weights)
    stamps, is_real = raw_stamps(40, seed=99)
    scores = score(stamps, path, fwhm_px=3.0)
    # The two classes do not overlap, so a trained network orders almost all of them.
    assert trained.metrics["auc"] > 0.98
    assert scores[is_real].mean() > scores[~is_real].mean() + 0.5


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(trained):
    torch.manual_seed(77)  # the state around it must not matter
    assert train(easy_set(), QUICK).weights == trained.weights
    assert train(easy_set(), TrainingParameters(seed=4, epochs=1, batch=32)).weights != trained.weights


def test_training_leaves_torch_s_global_state_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train(easy_set(160), TrainingParameters(seed=1, epochs=1, batch=32))
    torch.testing.assert_close(torch.rand(3), expected)
    assert not torch.are_deterministic_algorithms_enabled()


def test_weights_carry_their_temperature_and_metrics_all_that_the_registry_wants(trained):
    for name in ("temperature", "bias"):
        assert load(trained.weights)[name].item() == pytest.approx(trained.hyperparameters[name])
    assert {"precision", "recall", "f1_score", "accuracy", "auc", "ece", "threshold_fpr_0_01"} <= set(trained.metrics)
    assert set(trained.recall_by_kind) == {"hostless", "bogus"}


def test_no_pair_of_frames_is_in_two_parts():
    parts = split(easy_set(), QUICK)
    groups = [set(part.group.tolist()) for part in parts]
    assert not (groups[0] & groups[1])
    assert not (groups[0] & groups[2])
    assert not (groups[1] & groups[2])
    assert sum(len(part) for part in parts) == 240


def test_too_few_pairs_are_refused():
    whole = easy_set(20)
    single = replace(whole, group=np.full(20, "one"))
    with pytest.raises(ValueError, match="groups"):
        train(single, QUICK)


def test_swapping_twice_changes_nothing_and_once_turns_the_difference():
    images = torch.randn(2, 8, 31, 31, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(swapped(swapped(images)), images)
    for first in (0, 4):  # of the near view, and of the wide one
        torch.testing.assert_close(swapped(images)[:, first + 2], -images[:, first + 2])
        torch.testing.assert_close(swapped(images)[:, first], images[:, first + 1])


def test_augmentation_keeps_the_centre_and_the_pixels():
    images = torch.randn(8, 8, 31, 31, generator=torch.Generator().manual_seed(1))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        changed = augment(images)
    torch.testing.assert_close(changed[:, 2, 15, 15].abs(), images[:, 2, 15, 15].abs())
    torch.testing.assert_close(changed[:, 3].sum(dim=(1, 2)), images[:, 3].sum(dim=(1, 2)), atol=1e-3, rtol=1e-4)


class Killed(Exception):
    """Stands in for the end of the process."""


def easy_parts(seed: int = 1) -> Parts:
    parts = split(easy_set(seed=seed), QUICK)
    return Parts(*parts, weight=np.ones(len(parts[0]), dtype=np.float32))


def test_a_training_that_is_killed_goes_on_and_gives_the_same_bytes():
    whole = train_parts(easy_parts(), QUICK)
    states: list[bytes] = []

    def kept_until_killed(state: bytes) -> None:
        states.append(state)
        if len(states) == 2:
            raise Killed

    with pytest.raises(Killed):
        train_parts(easy_parts(), QUICK, Hooks(keep=kept_until_killed))
    torch.manual_seed(99)  # another process has another state
    seen: list[int] = []
    resumed = train_parts(easy_parts(), QUICK, Hooks(report=lambda e: seen.append(e.number), resume=states[1]))
    assert seen == [3, 4, 5, 6]
    assert resumed.weights == whole.weights
    assert resumed.epochs == whole.epochs


def test_a_state_that_is_spoilt_is_refused():
    with pytest.raises(ValueError, match="cannot go on"):
        train_parts(easy_parts(), QUICK, Hooks(resume=b"not a state"))


def test_it_ends_early_where_the_calibration_part_gains_nothing_and_keeps_the_best_epoch():
    parts = easy_parts()
    # Labels of noise: there is nothing to learn that holds for others.
    random = np.random.default_rng(1).random(len(parts.calibration)) < 0.5
    confused = replace(parts, calibration=replace(parts.calibration, is_real=random))
    trained = train_parts(confused, replace(QUICK, epochs=12, patience=2))
    losses = [epoch.calibration_loss for epoch in trained.epochs]
    assert len(losses) < 12
    assert trained.best_epoch == 1 + losses.index(min(losses))
    assert len(losses) == trained.best_epoch + 2


def test_what_stands_for_many_counts_for_many():
    parts = easy_parts()
    heavy = replace(parts, weight=np.where(np.arange(len(parts.train)) < 8, 20.0, 1.0).astype(np.float32))
    assert train_parts(heavy, replace(QUICK, epochs=1)).weights != train_parts(parts, replace(QUICK, epochs=1)).weights


def test_what_goes_on_from_learned_weights_knows_at_once_what_another_has_yet_to_learn(trained):
    parts, one = easy_parts(), replace(QUICK, epochs=1, learning_rate=1e-4)
    further, anew = (train_parts(replace(parts, start=start), one) for start in (trained.weights, b""))
    assert further.epochs[0].calibration_loss < 0.5 * anew.epochs[0].calibration_loss


def test_weights_of_another_network_are_no_beginning():
    with pytest.raises(ValueError, match="cannot begin"):
        train_parts(replace(easy_parts(), start=save({"layers.0.weight": torch.zeros(1)})), QUICK)


def test_the_best_epoch_is_told_by_those_of_the_calibration_part_that_weigh_most():
    parts = easy_parts()
    count = len(parts.calibration)
    wrong = np.arange(count) < 6  # labels that what is learned speaks against
    turned = replace(parts.calibration, is_real=parts.calibration.is_real ^ wrong)
    light, heavy = (
        train_parts(replace(parts, calibration=turned, calibration_weight=np.where(wrong, of, 1.0)), QUICK)
        for of in (0.01, 100.0)
    )
    assert light.best_epoch > heavy.best_epoch


def test_a_part_of_one_class_is_refused():
    parts = easy_parts()
    one = replace(parts, calibration=parts.calibration.select(parts.calibration.is_real))
    with pytest.raises(ValueError, match="both real and bogus"):
        train_parts(one, QUICK)
