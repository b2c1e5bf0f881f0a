"""Where an image lies on the sky: header WCS, pointing keywords and what a person gave, weighed against each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from observations.numerics.fits.cards import Cards
from observations.numerics.fits.facts import Notes, Overrides
from observations.numerics.fits.keywords import MOUNT_POINTINGS
from observations.numerics.fits.pixel_scale import SCALE_AGREES, binning_factor, find_scale
from observations.numerics.fits.pointing import find_pointing
from observations.numerics.fits.wcs import centre_of, header_wcs, nominal_wcs, pixel_scale_arcsec
from observations.numerics.sphere import separation_deg

# A person's position and the header's that lie closer are the same field, described twice.
_SAME_DEG = 0.1
# Mounts miss their target by minutes of arc; a quarter of a degree is another field.
_MOUNT_ERROR_DEG = 0.25


@dataclass(frozen=True)
class Position:
    """ICRS degrees of the image centre, pixel scale, and the WCS with where it comes from."""

    ra_deg: float | None
    dec_deg: float | None
    scale_arcsec: float | None
    wcs: WCS | None = None
    quality: str | None = None


@dataclass(frozen=True)
class SkyClaims:
    """All that is said about where an image lies; unbinned_scale_arcsec : by the instrument's profile."""

    header: fits.Header
    cards: Cards
    shape: tuple[int, int]
    mjd_utc: float | None
    overrides: Overrides
    tables: fits.HDUList | None = None
    unbinned_scale_arcsec: float | None = None


def find_position(claims: SkyClaims, notes: Notes) -> Position:
    """Return the header's WCS where nothing given contradicts it, else a nominal one, else what is known without."""
    overrides, shape = claims.overrides, claims.shape
    wcs = header_wcs(claims.header, shape, notes, claims.tables)
    is_position = wcs is None and overrides.ra_deg is None
    pointing = find_pointing(claims.cards, claims.mjd_utc, notes, is_position=is_position)
    if wcs is not None and not _is_contradicted(wcs, claims, pointing, notes):
        notes.came_from("position", "CTYPE1", claims.cards.text("CTYPE1"), "the centre of the header's WCS")
        _compare_scales(pixel_scale_arcsec(wcs), claims.cards, notes)
        notes.came_from("scale", "CTYPE1", "", "of the header's WCS")
        return Position(*centre_of(wcs, shape), pixel_scale_arcsec(wcs), wcs, "header")
    scale = overrides.pixel_scale_arcsec or find_scale(claims.cards, notes)
    if overrides.pixel_scale_arcsec:
        notes.came_from("scale", "given")
        notes.answered("scale")
    elif claims.unbinned_scale_arcsec is not None:
        scale = claims.unbinned_scale_arcsec * binning_factor(claims.cards)
        notes.came_from("scale", "profile", claims.unbinned_scale_arcsec, "times the binning")
        notes.answered("scale")
    if "pointing" in notes.origins:
        notes.origins["position"] = notes.origins["pointing"]
    if overrides.ra_deg is not None and overrides.dec_deg is not None:
        given = (overrides.ra_deg, overrides.dec_deg)
        if pointing is not None and _apart_deg(pointing, given) > _SAME_DEG:
            notes.doubt(
                "given_position_differs", "position", "", f"{given[0]:.5f} {given[1]:+.5f}",
                f"The position given lies {_apart_deg(pointing, given):.2f} degrees from the header's pointing.",
            )  # fmt: skip
        pointing = given
        notes.came_from("position", "given")
    if pointing is None:
        return Position(None, None, scale)
    if scale is None:
        return Position(*pointing, None)
    return Position(*pointing, scale, nominal_wcs(*pointing, scale, shape), "nominal")


def _is_contradicted(wcs: WCS, claims: SkyClaims, pointing: tuple[float, float] | None, notes: Notes) -> bool:
    """Whether the header's WCS is far from what a person gave; its quarrel with other keywords is only noted."""
    overrides = claims.overrides
    centre, scale = centre_of(wcs, claims.shape), pixel_scale_arcsec(wcs)
    # The given position may be the target's, anywhere in the frame and a little outside; 1 degree is the pointing
    # error that the astrometric solution searches.
    reach_deg = max(1.0, 1.5 * max(claims.shape) * scale / 3600)
    if overrides.ra_deg is not None and overrides.dec_deg is not None:
        given = (overrides.ra_deg, overrides.dec_deg)
        if _apart_deg(centre, given) > reach_deg:
            _unbelieved(notes, "CRVAL1", f"the position given lies {_apart_deg(centre, given):.2f} degrees from it")
            return True
    elif pointing is not None and _is_elsewhere(wcs, claims, pointing):
        notes.doubt(
            "pointing_off_wcs", "position", notes.origins["pointing"].source, f"{pointing[0]:.5f} {pointing[1]:+.5f}",
            f"{notes.origins['pointing'].source} points {_apart_deg(centre, pointing):.2f} degrees away from the "
            "centre of the header's WCS: one of the two is another field's.",
            blocks=not _is_of_another_axis(claims.cards, notes.origins["pointing"].source),
        )  # fmt: skip
    given_scale = overrides.pixel_scale_arcsec
    # 10 per cent: the range of scales that the astrometric solution searches.
    if given_scale is not None and abs(scale / given_scale - 1) > 0.1:
        _unbelieved(notes, "CD1_1", f"its scale is {scale:.4g} arcsec per pixel, the one given {given_scale:.4g}")
        return True
    return False


def _is_elsewhere(wcs: WCS, claims: SkyClaims, pointing: tuple[float, float]) -> bool:
    """Whether a pointing is neither in the frame nor at the point that the WCS refers to.

    That point is where a mosaic's telescope pointed, outside of most of its detectors.
    """
    reach_deg = _reach_of_pointing_deg(claims.shape, pixel_scale_arcsec(wcs))
    ra, dec = claims.cards.number("CRVAL1"), claims.cards.number("CRVAL2")
    places = [(centre_of(wcs, claims.shape), reach_deg)]
    if ra is not None and dec is not None and abs(dec) <= 90:
        places.append(((ra % 360, dec), _MOUNT_ERROR_DEG))
    return all(_apart_deg(place, pointing) > within_deg for place, within_deg in places)


def _is_of_another_axis(cards: Cards, keyword: str) -> bool:
    """Whether a pointing is a mount's belief, or that of the telescope's axis, which is not this detector's centre."""
    return keyword in MOUNT_POINTINGS or "boresight" in cards.comment(keyword).lower()


def _unbelieved(notes: Notes, keyword: str, reason: str) -> None:
    notes.doubt("wcs_contradicted", "position", keyword, None, f"The header's WCS was not used: {reason}.")


def _reach_of_pointing_deg(shape: tuple[int, int], scale: float) -> float:
    """How far a pointing may be from the middle of its frame: the target anywhere in it, and a mount's usual error."""
    return 0.5 * float(np.hypot(*shape)) * scale / 3600 + _MOUNT_ERROR_DEG


def _compare_scales(scale: float, cards: Cards, notes: Notes) -> None:
    """Doubt a WCS whose scale no keyword of camera and optics gives, binned or not."""
    quiet = Notes()
    claim = find_scale(cards, quiet)
    if claim is None:
        return
    factor = binning_factor(cards)
    if min(abs(scale / one - 1) for one in (claim, claim * factor)) > SCALE_AGREES:
        keyword = quiet.origins["scale"].source
        notes.doubt(
            "scale_contradicted", "scale", keyword, round(claim, 4),
            f"By {keyword} a pixel is {claim:.4g} arcsec, by the header's WCS {scale:.4g}: the WCS was believed.",
            blocks=True,
        )  # fmt: skip


def _apart_deg(first: tuple[float, float], second: tuple[float, float]) -> float:
    return float(separation_deg(*first, *second))
