import numpy as np
import pytest

from detection.numerics.segmentation.lines import call_trails

SHAPE = (160, 240)
NOTHING = np.zeros(SHAPE, dtype=bool)
FWHM = 1.5
# The direction of the lines below: a fifth down along each step to the right.
SLOPE = 0.2


def line(y0, *spans, chance=0.95, slope=SLOPE, bend=0.0):
    """Return probabilities with stretches of a line, three pixels wide, between places along x."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(np.float64)
    across = np.abs(y - y0 - slope * x - bend * (x - 120) ** 2) / np.hypot(1, slope)
    inside = np.any([(x >= start) & (x < stop) for start, stop in spans], axis=0)
    return np.where(inside & (across <= 1.5), np.float32(chance), np.float32(0))


def test_a_trail_is_called_along_its_whole_length_and_nowhere_else():
    chance = line(40, (0, 240))
    found = call_trails(chance, NOTHING, FWHM)
    assert found.count == 1
    assert found.trails[chance > 0].mean() > 0.95
    assert (chance > 0)[found.trails].mean() > 0.95


def test_what_is_short_is_no_trail():
    assert call_trails(line(40, (60, 90)), NOTHING, FWHM).count == 0
    assert call_trails(line(40, (60, 110)), NOTHING, FWHM).count == 1


def test_what_is_nowhere_certain_is_none_and_a_faint_part_belongs_to_one_that_is():
    assert call_trails(line(40, (20, 200), chance=0.6), NOTHING, FWHM).count == 0
    chance = np.maximum(line(40, (20, 80)), line(40, (80, 200), chance=0.5))
    assert call_trails(chance, NOTHING, FWHM).trails[chance > 0].mean() > 0.9


def test_flashes_on_one_line_are_one_trail_with_what_lies_between():
    flashes = [(start, start + 22) for start in range(10, 230, 40)]
    found = call_trails(line(40, *flashes), NOTHING, FWHM)
    assert found.count == 1
    assert found.trails[line(40, (10, 232)) > 0].mean() > 0.95


def test_a_sure_trail_reaches_to_a_flash_far_from_it_and_a_short_piece_does_not():
    long, short, flash = (10, 70), (10, 35), (170, 190)
    assert call_trails(line(40, long, flash), NOTHING, FWHM).trails[line(40, (10, 190)) > 0].mean() > 0.95
    assert call_trails(line(40, short, flash), NOTHING, FWHM).count == 0


def test_pieces_that_lie_beside_each_other_are_not_joined():
    chance = line(20, (10, 35)) + line(60, (80, 105)) + line(30, (150, 175))
    assert call_trails(chance, NOTHING, FWHM).count == 0


def test_two_trails_that_cross_are_two():
    first, second = line(40, (0, 240)), line(130, (0, 240), slope=-0.5)
    found = call_trails(np.maximum(first, second), NOTHING, FWHM)
    assert found.count == 2
    for each in (first, second):
        assert found.trails[each > 0].mean() > 0.95


def test_a_wide_trail_is_one():
    wide = np.max([line(40 + step, (0, 240)) for step in range(-3, 4)], axis=0)
    assert call_trails(wide, NOTHING, FWHM).count == 1


def test_a_slight_bend_is_followed_and_an_arc_is_none():
    chance = line(40, (0, 240), bend=2e-4)
    assert call_trails(chance, NOTHING, FWHM).trails[chance > 0].mean() > 0.9
    assert call_trails(line(40, (60, 180), bend=4e-3, slope=0.0), NOTHING, FWHM).count == 0


def test_a_broad_patch_has_no_trail():
    y, x = np.ogrid[: SHAPE[0], : SHAPE[1]]
    patch = np.where(np.hypot(y - 80, x - 120) < 40, np.float32(0.95), np.float32(0))
    assert call_trails(patch, NOTHING, FWHM).count == 0


@pytest.mark.parametrize("is_row", [True, False])
def test_what_keeps_to_a_row_or_a_column_is_a_bad_one(is_row):
    chance = np.zeros(SHAPE, dtype=np.float32)
    chance[(slice(60, 63), slice(20, 150)) if is_row else (slice(10, 140), slice(60, 63))] = 0.95
    found = call_trails(chance, NOTHING, FWHM)
    assert (found.count, found.trails.sum()) == (0, 0)
    assert found.columns[chance > 0].mean() > 0.6


def test_what_runs_along_a_broad_masked_part_is_its_edge():
    y, x = np.ogrid[: SHAPE[0], : SHAPE[1]]
    beyond = np.broadcast_to(y < 38 + SLOPE * x, SHAPE)
    assert call_trails(line(40, (0, 240)), beyond, FWHM).count == 0
    # A trail of which the pipeline masked a part is none.
    assert call_trails(line(40, (0, 240)), line(39, (0, 240)) > 0, FWHM).count == 1


def test_a_trail_goes_on_to_an_edge_that_is_near_and_to_no_other():
    chance = line(40, (8, 180))
    found = call_trails(chance, NOTHING, FWHM).trails
    assert found[line(40, (0, 8)) > 0].all()
    assert not found[:, 190:].any()


def test_nothing_and_all_masked_give_nothing():
    assert call_trails(np.zeros(SHAPE, dtype=np.float32), NOTHING, FWHM).count == 0
    assert call_trails(line(40, (0, 240)), ~NOTHING, FWHM).count == 0
