import numpy as np
import pytest

from detection.numerics.examples import Examples, joined, standardised
from detection.numerics.views import network_input
from tests.detection.numerics.test_views import star_stamps


def examples(count: int, group: str = "a") -> Examples:
    stamps = standardised(np.concatenate([star_stamps(3.0, seed=k) for k in range(count)]))
    same = [np.full(count, value, dtype=np.float32) for value in (3.0, 9.0)]
    return Examples(stamps, same[0], np.ones(count, bool), np.full(count, "hostless"), np.full(count, group), same[1])


def test_what_is_kept_in_few_bytes_looks_to_a_network_as_the_raw_stamp_does():
    stamps = star_stamps(3.0, amplitude=4e4)
    stamps[:, :3] += 900.0
    stamps[0, 1, :, :9] = np.nan
    kept = standardised(stamps)
    assert kept.dtype == np.float16
    # float16 keeps a value to 5e-4 of itself, and asinh of large ones makes that the same everywhere.
    np.testing.assert_allclose(network_input(kept, 3.0)[0], network_input(stamps, 3.0)[0], atol=2e-3)


def test_unknown_pixels_and_fill_values_are_unknown_and_constant_images_have_no_value():
    stamps = star_stamps(3.0)
    stamps[0, 0, 3, 4], stamps[0, 1, 5, 6], stamps[0, 2] = np.nan, np.finfo(np.float32).max, 17.0
    kept = standardised(stamps)
    assert np.isnan(kept[0, 0, 3, 4])
    assert np.isnan(kept[0, 1, 5, 6])
    assert (kept[0, 2] == 0.0).all()
    assert network_input(kept, 3.0)[1].tolist() == [False]


def test_examples_of_several_origins_are_put_together_in_order_and_chosen_by_flags():
    both = joined([examples(2), examples(3, "b")])
    assert len(both) == 5
    assert both.select(both.group == "b").group.tolist() == ["b"] * 3
    with pytest.raises(ValueError, match="no examples"):
        joined([])
