"""Simulated nights as files: read back by the project's own reader, they say what the simulation knows."""

from __future__ import annotations

import io
import math
from collections import Counter

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from observations.numerics.fits.images import read_images
from observations.numerics.fits.synthetic import night_files, truth
from observations.numerics.simulate.nights import NightParameters, simulate_nights

P = NightParameters(
    seed=6, size=256, frames=2, stars_per_mpx=100, galaxies_per_mpx=0, transients=3, dither_px=8.0, rotation_deg=1.5
)


@pytest.fixture(scope="module")
def nights():
    return simulate_nights(P)


@pytest.fixture(scope="module")
def files(nights):
    return {name: content for night in nights for name, content in night_files(night, P)}


@pytest.fixture(scope="module")
def known(nights):
    return truth(nights, P)


def read(folder, name, content):
    path = folder / name
    path.write_bytes(content)
    (image,) = read_images(path)
    return image


def test_the_files_are_the_lights_and_their_calibration_frames(files):
    kinds = Counter(name.split("_")[1][:4] for name in files)
    assert kinds == {"ligh": 2 + 3, "bias": 2 * 5, "dark": 2 * 3, "flat": 2 * 5}


def test_a_light_reads_back_with_its_pixels_and_facts(tmp_path, files, nights):
    light = nights[1].lights[1]
    image = read(tmp_path, "light.fits", files[f"{light.name}.fits"])
    np.testing.assert_array_equal(image.data, light.data)
    facts = image.facts
    assert (facts.kind, facts.filter_band, facts.exposure_s) == ("light", "R", 180.0)
    assert (facts.gain_e_per_adu, facts.read_noise_e, facts.saturation) == (1.5, 9.0, 60_000.0)
    assert (facts.width, facts.height) == (256, 256)
    assert facts.ccd_temperature_c == -20.0
    assert facts.mjd_utc == pytest.approx(light.mjd_utc + 90 / 86_400, abs=1e-8)  # milliseconds; mid-exposure
    assert facts.pixel_scale_arcsec == pytest.approx(1.2, rel=1e-3)
    assert not facts.doubts


@pytest.mark.parametrize(("name", "kind"), [("bias01", "bias"), ("dark01", "dark"), ("flat01", "flat")])
def test_a_calibration_frame_is_recognised(tmp_path, files, name, kind):
    facts = read(tmp_path, "frame.fits", files[f"night1_{name}.fits"]).facts
    assert facts.kind == kind
    assert facts.exposure_s == {"bias": 0.0, "dark": 180.0, "flat": 5.0}[kind]


def test_the_claimed_wcs_is_off_by_two_arcseconds_and_by_nothing_else(files, known):
    for name, facts in known["files"].items():
        with fits.open(io.BytesIO(files[name])) as hdus:
            wcs = WCS(hdus[0].header)
        errors = []
        for source in facts["sources"]:
            ra, dec = wcs.all_pix2world(source["x"], source["y"], 0)
            stretch = math.cos(math.radians(source["dec"]))
            errors.append([3600 * (float(ra) - source["ra"]) * stretch, 3600 * (float(dec) - source["dec"])])
        if errors:
            # The same error everywhere, though rotated by up to 1.5 deg, which is 3 px at the edge.
            assert np.ptp(errors, axis=0).max() < 0.01
            assert 1.7 < math.hypot(*np.mean(errors, axis=0)) < 2.1


def test_a_transient_has_one_place_in_the_sky_in_all_frames_and_the_asteroid_has_not(known):
    places: dict[str, set] = {}
    for facts in known["files"].values():
        for source in facts["sources"]:
            places.setdefault(source["name"], set()).add((round(source["ra"], 7), round(source["dec"], 7)))
    assert len(places["transient01"]) == len(places["variable"]) == 1
    assert len(places["asteroid"]) == 3


def test_the_pointing_in_the_header_is_the_centre_of_the_frame(tmp_path, files):
    content = files["night2_light01.fits"]
    facts = read(tmp_path, "light.fits", content).facts
    with fits.open(io.BytesIO(content)) as hdus:
        ra, dec = WCS(hdus[0].header).all_pix2world(127.5, 127.5, 0)
    assert (facts.ra_deg, facts.dec_deg) == pytest.approx((float(ra), float(dec)), abs=3 / 3600)  # the claim's error


def test_without_a_wcs_the_pointing_and_the_scale_are_left(tmp_path, nights):
    name, content = list(night_files(nights[0], P, with_wcs=False))[-1]
    facts = read(tmp_path, name, content).facts
    assert facts.wcs_quality == "nominal"
    assert facts.ra_deg == pytest.approx(P.ra_deg, abs=0.01)
    assert facts.pixel_scale_arcsec == pytest.approx(1.2, rel=1e-3)


def test_the_distance_to_defects_counts_pixels_to_the_nearest_one_or_to_the_edge(nights, known):
    for light in nights[1].lights:
        rows, columns = np.nonzero(light.defects)
        for source, entry in zip(light.sources, known["files"][f"{light.name}.fits"]["sources"], strict=True):
            distance = entry["defect_distance_px"]
            assert distance <= min(source.x, source.y, 255 - source.x, 255 - source.y) + 0.5
            assert distance <= np.hypot(columns - source.x, rows - source.y).min() + 1e-9
            inside = light.defects[round(source.y), round(source.x)]
            assert not inside or distance < 1
