import pytest

from observations.numerics.scales import are_alike, ratio


@pytest.mark.parametrize(("one", "other"), [(1.2, 1.2), (1.2, 1.43), (1.43, 1.2), (None, 3.0), (0.0, 3.0)])
def test_pixels_of_one_camera_and_unknown_ones_are_alike(one, other):
    assert are_alike(one, other)


@pytest.mark.parametrize(("one", "other"), [(1.2, 2.4), (2.4, 1.2), (1.0, 1.25)])
def test_pixels_of_another_binning_or_camera_are_not(one, other):
    assert not are_alike(one, other)


def test_the_ratio_says_how_many_of_the_others_pixels_one_covers():
    assert ratio(2.4, 1.2) == pytest.approx(2.0)
    assert ratio(None, 1.2) == 1.0
