"""A wide field that nobody gave a catalogue for, through the whole pipeline by the stars that come with the program."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from observations.models import Observation
from observations.numerics.sphere import separation_deg
from preprocessing.bright_stars import bright_stars
from preprocessing.models import PreprocessRun
from tests.preprocessing.numerics.scenes import moffat_stars

SHAPE = (520, 520)
SCALE = 13.0
CENTRE = (301.4, 33.2)
# Off by a degree on the sky, and 3 % in scale.
OFF = (0.8 / np.cos(np.radians(33.2)), 0.6)
ZERO_POINT, COLOUR_TERM = 21.5, 0.12


def _wcs(centre, scale, angle_deg):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = list(centre)
    wcs.wcs.crpix = [SHAPE[1] / 2 + 0.5, SHAPE[0] / 2 + 0.5]
    a = np.radians(angle_deg)
    wcs.wcs.cd = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) @ np.diag([-1.0, 1.0]) * scale / 3600
    wcs.wcs.radesys = "ICRS"
    wcs.wcs.set()
    return wcs


TRUTH, CLAIM = _wcs(CENTRE, SCALE, 20.0), _wcs(np.add(CENTRE, OFF), SCALE * 1.03, 21.0)


@pytest.fixture
def frame(tmp_path):
    """A frame of the program's own stars and of fainter ones that it does not know."""
    rng = np.random.default_rng(12)
    dec, ra, (g, rp, bp) = bright_stars()
    near = separation_deg(ra, dec, *CENTRE) < 1.6
    colour = np.where(np.isfinite(bp - rp), bp - rp, 0.8)[near]
    x, y = TRUTH.all_world2pix(ra[near], dec[near], 0)
    # What the frame's band sees is fainter for redder stars by this.
    magnitude = g[near] - COLOUR_TERM * (colour - 0.8)
    faint = rng.uniform(-20, 540, (2, 350))
    x, y = np.concatenate([x, faint[0]]), np.concatenate([y, faint[1]])
    magnitude = np.concatenate([magnitude, 10.2 + 4.0 + 2.5 * np.log10(rng.uniform(0.025, 1.0, 350))])
    flux = 10 ** (-0.4 * (magnitude - ZERO_POINT))
    clean = moffat_stars(SHAPE, (x, y, flux), 2.6) + 900.0
    data = np.clip(rng.normal(clean, np.sqrt(clean)), 0, 60_000).astype(np.uint16)
    header = CLAIM.to_header()
    header.update({
        "DATE-OBS": "2026-01-10T21:30:00", "EXPTIME": 30.0, "FILTER": "Clear", "IMAGETYP": "Light Frame",
        "INSTRUME": "a lens", "EGAIN": 1.0,
    })  # fmt: skip
    path = tmp_path / "wide.fits"
    fits.PrimaryHDU(data, header).writeto(path)
    return path


def test_a_wide_frame_a_degree_off_is_placed_by_the_stars_that_come_with_the_program(
    process, frame, empty_data_root, db, monkeypatch, tmp_path
):
    monkeypatch.setenv("PATH", str(tmp_path))
    (entry,) = process(frame, "--json").document["observations"]
    assert entry["wcs_quality"] == "solved"
    # A sixth of a pixel.
    assert separation_deg(entry["ra"], entry["dec"], *CENTRE) * 3600 < 2.0
    doubts = {doubt["code"]: doubt for doubt in entry["doubts"]}
    assert doubts["header_wcs_off"]["value"] == pytest.approx(3600, rel=0.15)
    assert "star_catalog_too_shallow" not in doubts
    zero = entry["zero_point"]
    assert (zero["catalogue"], zero["band"], zero["system"]) == ("Gaia DR3 to G 10", "G", "instrumental")
    assert zero["colour"] == "BP-RP" and zero["no_colour_term"] == ""
    assert zero["colour_term"] == pytest.approx(COLOUR_TERM, abs=4 * zero["colour_term_error"])
    assert zero["mag"] == pytest.approx(ZERO_POINT + COLOUR_TERM * (zero["colour_mag"] - 0.8), abs=0.03)
    run = PreprocessRun.objects.get(observation=Observation.objects.get())
    assert 0 <= run.wcs_info["solution"]["false_match_probability"] < 1e-6
