import numpy as np
import pytest

from benchmarks.differencing.flashes import SKIES, shares
from differencing.numerics.vetoes.trains import find_trains
from observations.numerics.simulate.artefacts import Strays, strays_of
from observations.numerics.simulate.sources import MoffatPsf

SHAPE = (1024, 1024)


def trains_of(x, y, error=0.1):
    return find_trains(np.array(x), np.array(y), np.full(len(x), error), fwhm_px=3.0, shape=SHAPE)


def flashes(seed, spacing_px=250.0):
    """Positions of one satellite's flashes as the simulator draws them, each measured to 0.15 px."""
    rng = np.random.default_rng(seed)
    strays = Strays(flash_spacing_px=spacing_px, hits=0.0, ghost_share=0.0)
    nothing = (np.empty(0),) * 3
    # The image is as small as a row of pixels allows: only the places are asked for.
    drawn = strays_of(strays, rng, MoffatPsf(3.0, (64, 1024)), nothing, has_flashes=True)[1]
    x, y = (np.array([getattr(each, name) for each in drawn]) for name in ("x", "y"))
    return x + rng.normal(0.0, 0.15, x.size), y + 480.0 + rng.normal(0.0, 0.15, x.size)


def test_the_flashes_of_one_satellite_are_one_train_with_their_step():
    x, y = [100.0, 350.2, 599.9, 850.1, 700.0], [500.0, 507.6, 514.9, 522.5, 111.0]
    (train,) = trains_of(x, y)
    assert train.members == (0, 1, 2, 3)
    assert train.step_px == pytest.approx(np.hypot(250.0, 7.5), abs=0.2)


def test_a_flash_that_is_missing_does_not_break_the_row():
    x, y = [100.0, 350.2, 850.1, 975.0, 700.0], [500.0, 507.6, 522.5, 41.0, 111.0]
    (train,) = trains_of(x, y)
    assert set(train.members) == {0, 1, 2}


def test_nearly_all_flashes_among_a_dozen_sources_are_found_and_next_to_none_of_the_sources():
    flagged, flashing, blamed, real = 0, 0, 0, 0
    for seed in range(150):
        rng = np.random.default_rng([seed, 5])
        own_x, own_y = flashes(seed)
        x, y = (np.append(own, rng.uniform(0, 1024, 12)) for own in (own_x, own_y))
        members = [k for train in trains_of(x, y) for k in train.members]
        flagged += sum(k < own_x.size for k in members)
        blamed += sum(k >= own_x.size for k in members)
        flashing, real = flashing + own_x.size, real + 12
    # 0.99 and 0.002, with what a binomial of so few allows.
    assert flagged >= 0.98 * flashing
    assert blamed <= 0.004 * real


def test_sources_at_random_places_make_no_train():
    members, count = 0, 0
    for seed in range(200):
        rng = np.random.default_rng([seed, 6])
        x, y = rng.uniform(0, 1024, (2, 15))
        members += sum(len(train.members) for train in trains_of(x, y))
        count += 15
    # A chance row of three in each thousand frames or so: two such are six members.
    assert members <= 6


def score_of(x, y, *, along=1):
    """S/N of stars of 3 px at places, or of the line through them where `along` points are drawn for each step."""
    numbers = np.linspace(0, len(x) - 1, along * (len(x) - 1) + 1)
    x, y = (np.interp(numbers, np.arange(len(x)), each) for each in (x, y))
    rows, columns = np.mgrid[:200, :200]
    squared = (columns - x[:, None, None]) ** 2 + (rows - y[:, None, None]) ** 2
    noise = np.random.default_rng(1).normal(0.0, 1.0, rows.shape)
    return (20.0 * np.exp(-squared / (2.0 * 1.8**2))).max(axis=0) + noise


@pytest.mark.parametrize("step", [8.0, 13.0])
def test_flashes_at_short_steps_are_a_train_where_it_is_dark_between_them_and_a_trail_has_none(step):
    x, y = 60.0 + np.arange(5) * step, 70.0 + np.arange(5) * 0.4 * step
    told = {"fwhm_px": 3.0, "shape": (200, 200)}
    error = np.full(5, 0.1)
    (train,) = find_trains(x, y, error, score=score_of(x, y), **told)
    assert train.members == (0, 1, 2, 3, 4)
    assert find_trains(x, y, error, score=score_of(x, y, along=8), **told) == []


def test_the_parts_of_one_trail_are_no_train():
    # Peaks 8 px apart, below five FWHM.
    assert trains_of([100.0, 108.0, 116.0, 124.0], [100.0, 104.0, 108.0, 112.0]) == []


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_than_three_peaks_are_no_train(count):
    assert trains_of([100.0, 350.0][:count], [500.0, 507.0][:count]) == []


def test_an_unknown_error_counts_as_the_largest():
    x, y = [100.0, 350.0, 600.0, 850.0], [500.0, 507.0, 514.0, 521.0]
    (train,) = trains_of(x, y, error=np.nan)
    assert len(train.members) == 4


def row(numbers, step=80.0, angle_deg=35.0, along=0.0, start=(150.0, 200.0)):
    """Return places at multiples of a step on a line, off along it by parts of the step."""
    way = np.array([np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))])
    places = np.array(start) + step * (np.array(numbers) + along)[:, None] * way
    return places[:, 0], places[:, 1]


def test_a_gap_of_half_a_train_is_bridged():
    # A tumbling rocket that glints at its steps 0, 1, 2 and again 7, 8.
    x, y = row([0, 1, 2, 7, 8])
    (train,) = trains_of(x, y)
    assert set(train.members) == {0, 1, 2, 3, 4}
    assert train.step_px == pytest.approx(80.0, abs=0.3)


@pytest.mark.parametrize("jitter", [0.01, 0.03])
def test_steps_that_scatter_along_the_way_are_a_train(jitter):
    rng = np.random.default_rng(11)
    x, y = row(np.arange(8), along=jitter * rng.normal(size=8))
    (train,) = trains_of(x, y)
    assert set(train.members) == set(range(8))


def test_what_scatters_as_much_across_is_no_train():
    rng = np.random.default_rng(12)
    x, y = row(np.arange(4))
    assert trains_of(x, y + 0.08 * 80.0 * rng.normal(size=4)) == []


def test_flashes_of_the_other_side_between_those_of_a_sure_train_belong_to_it():
    x, y = row([0.0, 0.62, 1.0, 2.0, 2.62, 3.0, 4.0, 5.0])
    (train,) = trains_of(x, y)
    assert set(train.members) == set(range(8))


def test_a_star_beside_the_line_of_a_train_is_none_of_it():
    x, y = row([0, 1, 2, 3, 4, 5])
    (train,) = trains_of(np.append(x, x[2] + 6.0), np.append(y, y[2] - 6.0))
    assert 6 not in train.members


def test_flashes_fainter_than_a_hundred_other_peaks_belong_to_the_train_of_the_bright_ones():
    rng = np.random.default_rng(13)
    x, y = row(range(8))
    others = rng.uniform(0, 1024, (2, 110))
    (train,) = trains_of(np.concatenate([x[:6], others[0], x[6:]]), np.concatenate([y[:6], others[1], y[6:]]))
    assert set(train.members) >= {0, 1, 2, 3, 4, 5, 116, 117}


@pytest.mark.parametrize("name", ["a third missing", "steps scatter by 3 %", "bright and faint in turn"])
def test_nearly_all_found_flashes_of_a_train_are_flagged_whatever_is_missing(name):
    flagged, flashing, blamed, real = shares(SKIES[name], 21, 60)
    # 0.99 and 0.002, with what a binomial of 500 flashes and 700 others allows.
    assert flagged >= 0.97 * flashing
    assert blamed <= 0.008 * real
