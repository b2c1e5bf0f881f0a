"""Where others tell of a place in the sky."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, urlencode

from detection.models import Detection
from observations.models import Telescope
from observations.numerics.site import time_of

# Of the Minor Planet Center, for who observes from no site of its list.
_GEOCENTRE = "500"
_RADIUS_ARCSEC = 30
_LIMITING_MAG = "22.0"


@dataclass(frozen=True)
class Link:
    """A page of somebody else about a place."""

    title: str
    url: str
    about: str


def links_of(detection: Detection, telescope: Telescope | None = None) -> list[Link]:
    """Return the pages about a detection's place, and of bodies that were there at its time."""
    ra, dec = f"{detection.ra:.6f}", f"{detection.dec:+.6f}"
    place, comma = f"{ra} {dec}", f"{ra},{dec}"
    near = f"{_RADIUS_ARCSEC}″ around"
    return [
        Link("SIMBAD", _asked("https://simbad.cds.unistra.fr/simbad/sim-coo", {
            "Coord": place, "CooFrame": "ICRS", "Radius": str(_RADIUS_ARCSEC), "Radius.unit": "arcsec"}), near),
        Link("VizieR", _asked("https://vizier.cds.unistra.fr/viz-bin/VizieR", {
            "-c": place, "-c.rs": str(_RADIUS_ARCSEC)}), near),
        Link("NED", _asked("https://ned.ipac.caltech.edu/conesearch", {
            "search_type": "Near Position Search", "in_csys": "Equatorial", "in_equinox": "J2000",
            "coordinates": f"{ra}d {dec}d", "radius": "1"}), "1′ around"),
        Link("TNS", _asked("https://www.wis-tns.org/search", {
            "ra": ra, "decl": dec, "radius": "10", "coords_unit": "arcsec"}), "10″ around"),
        Link("Aladin Lite", _asked("https://aladin.cds.unistra.fr/AladinLite/", {
            "target": place, "fov": "0.05"}), "3′ of sky"),
        Link("Legacy Surveys", _asked("https://www.legacysurvey.org/viewer", {
            "ra": ra, "dec": f"{detection.dec:.6f}", "layer": "ls-dr10", "zoom": "16",
            "mark": comma.replace("+", "")}), "viewer"),
        Link("MPC", _asked("https://www.minorplanetcenter.net/cgi-bin/mpcheck.cgi", _checker(detection, telescope)),
             "bodies at the time"),
    ]  # fmt: skip


def _checker(detection: Detection, telescope: Telescope | None) -> dict[str, str]:
    """Return what the Minor Planet Center's checker wants to know."""
    middle = time_of(detection.observation.mjd_utc)
    since_midnight = middle - middle.replace(hour=0, minute=0, second=0, microsecond=0)
    hours, sign, degrees = detection.ra / 15.0, "-" if detection.dec < 0 else "+", abs(detection.dec)
    return {
        "year": str(middle.year), "month": f"{middle.month:02d}",
        "day": f"{middle.day + since_midnight / timedelta(days=1):.5f}", "which": "pos",
        "ra": _parts(hours, 2), "decl": f"{sign}{_parts(degrees, 1)}", "radius": "5", "limit": _LIMITING_MAG,
        "oc": (telescope.mpc_code if telescope else "") or _GEOCENTRE, "sort": "d", "mot": "h", "tmot": "s",
    }  # fmt: skip


def _parts(value: float, decimals: int) -> str:
    """Return units, minutes and seconds with spaces between them; what rounds to sixty seconds is a minute."""
    scale = 10**decimals
    seconds = round(value * 3600.0 * scale)
    units, rest = divmod(seconds, 3600 * scale)
    minutes, rest = divmod(rest, 60 * scale)
    return f"{units:02d} {minutes:02d} {rest / scale:0{3 + decimals}.{decimals}f}"


def _asked(url: str, parameters: dict[str, str]) -> str:
    return f"{url}?{urlencode(parameters, quote_via=quote)}"
