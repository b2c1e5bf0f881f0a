"""How much of the sky a pixel covers, by camera and optics."""

from __future__ import annotations

import pytest
from astropy.io import fits

from observations.numerics.fits.cards import Cards
from observations.numerics.fits.facts import Notes
from observations.numerics.fits.pixel_scale import find_scale

# With pixels of 9 um this is 1.2 arcseconds a pixel.
FOCAL_MM = 206.264806 * 9 / 1.2


def scale_of(**cards: object) -> tuple[float | None, list[tuple[str, bool]]]:
    header, notes = fits.Header(), Notes()
    for keyword, value in cards.items():
        header[keyword] = value
    return find_scale(Cards(header), notes), [(doubt.code, doubt.blocks_publication) for doubt in notes.doubts]


@pytest.mark.parametrize(
    ("cards", "arcsec"),
    [
        ({"PIXSCALE": (0.02, "arcmin/pixel")}, 1.2),
        ({"PIXSCALE": (1.2 / 3600, "degrees")}, 1.2),
        ({"PIXSCALE": (1200.0, "[mas]")}, 1.2),
        ({"PLTSCALE": (67.1, "arcsec/mm")}, None),
        ({"SCALE": (0.8333, "pixels per arcsec")}, None),
        ({"SCALE": (1.0, "data scale factor")}, None),
        ({"PIXSCALE": (0.6, "arcsec per unbinned pixel"), "XBINNING": 2}, 1.2),
        ({"PIXSCALE": (0.6, "at 1x1 binning"), "XBINNING": 2}, 1.2),
        ({"XPIXSZ": (4.5, "unbinned pixel width"), "XBINNING": 2, "FOCALLEN": FOCAL_MM}, 1.2),
        ({"PIXSIZE1": 4.5, "XBINNING": 2, "FOCALLEN": FOCAL_MM}, 1.2),
        ({"XPIXSZ": 9.0, "FOCALLEN": (FOCAL_MM / 10, "cm")}, 1.2),
        ({"XPIXSZ": 9.0, "FOCALLEN": (FOCAL_MM / 25.4, "inches")}, 1.2),
        ({"XPIXSZ": 4.5, "SCALE": 1.2, "XBINNING": 2, "FOCALLEN": FOCAL_MM}, 1.2),
    ],
)
def test_a_scale_counts_in_its_own_unit_and_binning(cards, arcsec):
    scale, doubts = scale_of(**cards)
    assert scale == (None if arcsec is None else pytest.approx(arcsec, rel=1e-3))
    assert doubts == []


@pytest.mark.parametrize(
    ("cards", "arcsec", "doubt"),
    [
        ({"PIXSCALE": 0.6, "XBINNING": 2}, 0.6, ("scale_of_unknown_binning", False)),
        (
            {"XPIXSZ": 4.5, "PIXSIZE1": 4.5, "XBINNING": 2, "FOCALLEN": FOCAL_MM},
            1.2,
            ("scale_of_unknown_binning", True),
        ),
        ({"PIXSCALE": 1.0, "XPIXSZ": 9.0, "FOCALLEN": FOCAL_MM}, 1.0, ("scale_contradicted", True)),
    ],
)
def test_a_scale_that_may_be_another_is_doubted(cards, arcsec, doubt):
    scale, doubts = scale_of(**cards)
    assert scale == pytest.approx(arcsec, rel=1e-3)
    assert doubts == [doubt]
