"""What the benchmark of comas and trails draws, and what it counts."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.movers.extended import judged
from benchmarks.movers.wide import WideParameters, draw_wide, minutes_of, rate_of, with_wide
from differencing.numerics.peaks import fwhm_of
from observations.numerics.simulate.nights import NightParameters, simulate_nights

P = NightParameters(seed=5, size=384, frames=2, cadence_min=1.0, exposure_s=60.0, transients=2, dither_px=8.0)
W = WideParameters(each=1, snr=(400.0, 500.0), rate_arcsec_per_min=(2.0, 20.0))


@pytest.fixture(scope="module")
def night():
    return simulate_nights(P)[1]


def test_a_night_shows_comas_and_trails_where_it_says_and_as_wide_as_it_says(night):
    minutes = minutes_of(night, P)
    things = draw_wide(P, W, 1, minutes)
    assert {thing.kind for thing in things} == {"gaussian coma", "cusped coma", "coma with tail", "trail"}
    assert all(2.0 <= rate_of(thing, P) <= 20.0 for thing in things)
    still = WideParameters(each=1, snr=(400.0, 500.0), is_smeared=False)
    shown, seen = with_wide(night, P, still, things, minutes)
    frame, plain = shown.lights[0], night.lights[0]
    added = frame.data.astype(float) - plain.data
    for thing, place in zip(things, seen[f"{frame.name}.fits"], strict=True):
        row, column = round(place.y), round(place.x)
        cut = added[row - 20 : row + 21, column - 20 : column + 21]
        assert cut.max() > 50.0
        if thing.kind == "gaussian coma":
            assert fwhm_of(np.maximum(cut, 0.0)) == pytest.approx(thing.width * frame.fwhm_px, rel=0.2)
            u = np.indices(cut.shape)[1]
            assert (cut * u).sum() / cut.sum() == pytest.approx(20.0 + place.x - column, abs=0.5)
            assert place.star_snr < place.snr


def test_a_coma_is_in_a_tracklet_of_its_own_and_a_tracklet_of_nothing_is_false():
    files = [f"night2_light0{k}.fits" for k in range(1, 5)]
    shown = {
        name: [{"name": "mover001", "x": 50.0 + 9.0 * k, "y": 80.0, "snr": 30.0, "star_snr": 15.0}]
        for k, name in enumerate(files)
    }
    record = {
        "things": [{"name": "mover001", "kind": "cusped coma", "rate": 3.0, "width": 3.0}],
        "shown": shown,
        "asteroid": {name: (300.0, 300.0 + 5.0 * k) for k, name in enumerate(files)},
        "fwhm": dict.fromkeys(files, 3.0),
    }

    def track(x, y, *, dx=0.0, dy=0.0, is_doubtful=False):
        members = [{"file": name, "pixel_x": x + dx * k, "pixel_y": y + dy * k} for k, name in enumerate(files[:3])]
        return {"kind": "linked", "is_doubtful": is_doubtful, "members": members}

    found = {
        "observations": [{"file": name, "status": "differenced"} for name in files],
        "candidates": [
            {"file": files[0], "pixel_x": 53.0, "pixel_y": 81.0, "is_negative": False, "significance": 9.0,
             "vetoes": [{"code": "wider_than_star"}]}
        ],
        "detections": [],
        # The coma's, the asteroid's, one of nothing, a doubtful one of nothing.
        "tracklets": [
            track(51.0, 82.0, dx=9.0), track(300.0, 301.0, dy=5.0), track(10.0, 10.0, dx=9.0),
            track(200.0, 10.0, dx=9.0, is_doubtful=True),
        ],
        "seconds": [],
    }  # fmt: skip
    outcome = judged(1, record, found)
    (row,) = outcome.rows
    assert (row.frames, row.seen, row.members, row.is_doubtful) == (4, 1, 3, False)
    assert row.lost == {"wider_than_star": 1}
    assert (outcome.frames, outcome.false, outcome.doubtful) == (4, 1, 1)
