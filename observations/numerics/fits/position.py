"""Where an image lies on the sky: header WCS, pointing keywords and what a person gave, weighed against each other."""

from __future__ import annotations

from dataclasses import dataclass

from astropy.io import fits
from astropy.wcs import WCS

from observations.numerics.fits.cards import Cards
from observations.numerics.fits.detector import binning, bounded
from observations.numerics.fits.facts import Notes, Overrides
from observations.numerics.fits.keywords import BOUNDS
from observations.numerics.fits.pointing import find_pointing
from observations.numerics.fits.wcs import centre_of, header_wcs, nominal_wcs, pixel_scale_arcsec
from observations.numerics.sphere import separation_deg

# A person's position and the header's that lie closer are the same field, described twice.
_SAME_DEG = 0.1


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
    """All that is said about where an image lies."""

    header: fits.Header
    cards: Cards
    shape: tuple[int, int]
    mjd_utc: float | None
    overrides: Overrides


def find_position(claims: SkyClaims, notes: Notes) -> Position:
    """Return the header's WCS where nothing given contradicts it, else a nominal one, else what is known without."""
    overrides, shape = claims.overrides, claims.shape
    pointing = find_pointing(claims.cards, claims.mjd_utc, notes)
    wcs = header_wcs(claims.header, shape, notes)
    if wcs is not None and not _is_contradicted(wcs, claims, pointing, notes):
        return Position(*centre_of(wcs, shape), pixel_scale_arcsec(wcs), wcs, "header")
    scale = overrides.pixel_scale_arcsec or find_scale(claims.cards, notes)
    if overrides.ra_deg is not None and overrides.dec_deg is not None:
        given = (overrides.ra_deg, overrides.dec_deg)
        if pointing is not None and _apart_deg(pointing, given) > _SAME_DEG:
            notes.conflict("pointing", {"given": list(given)}, {"header": list(pointing)})
        pointing = given
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
            notes.conflict("position", {"given": list(given)}, {"header WCS": [round(value, 6) for value in centre]})
            return True
    elif pointing is not None and _apart_deg(centre, pointing) > reach_deg:
        notes.conflict("position", {"header WCS": [round(v, 6) for v in centre]}, {"header pointing": list(pointing)})
    given_scale = overrides.pixel_scale_arcsec
    # 10 per cent: the range of scales that the astrometric solution searches.
    if given_scale is not None and abs(scale / given_scale - 1) > 0.1:
        notes.conflict("pixel scale", {"given": given_scale}, {"header WCS": scale})
        return True
    return False


def _apart_deg(first: tuple[float, float], second: tuple[float, float]) -> float:
    return float(separation_deg(*first, *second))


def find_scale(cards: Cards, notes: Notes) -> float | None:
    """Pixel scale without a WCS: as fitted or stated, else unbinned scale times binning, else from the optics."""
    stated = bounded(cards, "pixel_scale_arcsec", "pixel_scale_arcsec", notes)
    if stated is not None:
        return stated
    factor = float((binning(cards) or "1x1").split("x")[0])
    unbinned = bounded(cards, "unbinned_scale_arcsec", "pixel_scale_arcsec", notes)
    if unbinned is not None:
        return unbinned * factor
    # XPIXSZ is the width after binning (SBFITSEXT 1.0); PIXSIZE is the detector's own.
    focal_mm, after_um, before_um = cards.number("FOCALLEN"), cards.number("XPIXSZ"), cards.number("PIXSIZE")
    width_um = after_um or (before_um * factor if before_um else None)
    if not focal_mm or not width_um or focal_mm <= 0 or width_um <= 0:
        return None
    scale = 206264.806 * width_um / 1000 / focal_mm
    low, high = BOUNDS["pixel_scale_arcsec"]
    return scale if low <= scale <= high else None
