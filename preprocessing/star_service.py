"""Stars of a part of the sky from a service of the Virtual Observatory: TAP with ADQL, or a simple cone search.

One request at a time, with a limit of rows; what fails for a moment is asked again, twice, after longer and longer
waits. TAP 1.1 and Simple Cone Search 1.1 are recommendations of the IVOA.
"""

from __future__ import annotations

import logging
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import numpy as np
from astropy.io import votable
from astropy.io.votable.tree import VOTableFile
from astropy.table import Table
from astropy.utils.exceptions import AstropyWarning
from django.conf import settings

from catalog.files import outgoing
from catalog.files.addresses import AddressRefused
from preprocessing.star_table import LONGEST_NAME, StarCatalogRefused, StarTable, stars_of_table

log = logging.getLogger(__name__)

# Half a million stars are 100 MB as VOTable; no frame has use for more, and services allow less to a single request.
MOST_STARS = 200_000
LIMITS = outgoing.Limits(max_bytes=400_000_000, stall_seconds=180.0, whole_seconds=900.0)
WAITS_S = (5.0, 20.0)
# Gaia's columns, of its third data release and of every mirror of it; positions hold at 2016.0.
GAIA_COLUMNS = ("ra", "dec", "pmra", "pmdec", "phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag")
GAIA_EPOCH, OTHER_EPOCH = 2016.0, 2000.0
EPOCH_NAMES = ("ref_epoch", "epoch")


class ServiceFailed(Exception):
    """The service gave no stars; the sentence says why and what to do."""


@dataclass(frozen=True)
class Circle:
    """A circle on the sky, ICRS degrees, and the faintest magnitude wanted."""

    ra_deg: float
    dec_deg: float
    radius_deg: float
    faintest_mag: float


@dataclass(frozen=True)
class Answer:
    """What a service gave: stars, the Julian year of their positions, and how faint they go."""

    stars: StarTable
    epoch_year: float
    faintest_mag: float


def ask(circle: Circle) -> Answer:
    """Return the stars of a circle from the service of the settings.

    Raises ServiceFailed, with a sentence, where it cannot be reached, refuses, or answers what is no star catalogue.
    """
    return _answer(fetch_table(address_of(circle), "stars"), circle)


def fetch_table(url: str, what: str) -> Table:
    """Return the table that a service answers with; `what` says of what in sentences. Raises ServiceFailed."""
    with tempfile.TemporaryDirectory(prefix="astrid-service-") as folder:
        path = Path(folder) / "answer.xml"
        _download(url, path, what)
        return _read(path)


def address_of(circle: Circle) -> str:
    """Return what is asked of the service: a TAP query where a table is set, else a cone search."""
    base, table = settings.ASTRID_STAR_CATALOG_SERVICE, settings.ASTRID_STAR_CATALOG_TABLE
    if not base:
        raise ServiceFailed("No service is set for star catalogues: set ASTRID_STAR_CATALOG_SERVICE.")
    if not table:
        return cone_address(base, circle)
    circle_on_sky = f"CIRCLE('ICRS', {circle.ra_deg:.6f}, {circle.dec_deg:.6f}, {circle.radius_deg:.5f})"
    clauses = {
        "SELECT": f"TOP {MOST_STARS} {', '.join(GAIA_COLUMNS)}",
        "FROM": table,
        "WHERE": f"1 = CONTAINS(POINT('ICRS', ra, dec), {circle_on_sky})",
        "AND": f"phot_g_mean_mag < {circle.faintest_mag:.2f}",
        "ORDER BY": "phot_g_mean_mag",
    }
    query = " ".join(f"{word} {what}" for word, what in clauses.items())
    sync = base if base.rstrip("/").endswith("/sync") else f"{base.rstrip('/')}/sync"
    asked = {"REQUEST": "doQuery", "LANG": "ADQL", "FORMAT": "votable", "MAXREC": str(MOST_STARS), "QUERY": query}
    return _joined(sync, asked)


def cone_address(base: str, circle: Circle, verbosity: int = 1) -> str:
    """Return what is asked of a simple cone search."""
    place = {"RA": f"{circle.ra_deg:.6f}", "DEC": f"{circle.dec_deg:.6f}", "SR": f"{circle.radius_deg:.5f}"}
    return _joined(base, {**place, "VERB": str(verbosity), "MAXREC": str(MOST_STARS)})


def _joined(base: str, parameters: dict[str, str]) -> str:
    sign = "" if base.endswith(("?", "&")) else "&" if urlsplit(base).query else "?"
    return f"{base}{sign}{urlencode(parameters)}"


def _download(url: str, path: Path, what: str) -> None:
    """Fetch an answer; what may succeed another time is tried again after a while."""
    host = urlsplit(url).hostname
    for wait in (*WAITS_S, None):
        try:
            outgoing.fetch(url, path, LIMITS)
            return
        except AddressRefused as refusal:
            raise ServiceFailed(str(refusal)) from refusal
        except outgoing.DownloadFailed as failure:
            if not failure.is_transient or wait is None:
                raise ServiceFailed(f"{host} gave no {what}: {failure}") from failure
            log.warning("%s gave no %s (%s): it is asked again in %g s", host, what, failure, wait)
            time.sleep(wait)


def _read(path: Path) -> Table:
    """Return the table of an answer, or raise what the service itself says against the request."""
    try:
        with warnings.catch_warnings():
            # Remarks on how a service follows the standard, which does not matter where the columns are read.
            warnings.simplefilter("ignore", AstropyWarning)
            whole = votable.parse(path, verify="ignore")
            complaint = _complaint(whole)
            if complaint:
                raise ServiceFailed(f"The service refused: {complaint}")
            return whole.get_first_table().to_table(use_names_over_ids=True)
    except (OSError, ValueError, IndexError, TypeError) as error:
        words = path.read_text(errors="replace")[:200]
        raise ServiceFailed(f"The service's answer is no VOTable ({error}): {' '.join(words.split())}") from error


def _complaint(whole: VOTableFile) -> str:
    """Return what an INFO of status ERROR says; cone searches of old put it into the table's or file's own."""
    places = [whole, *whole.resources]
    for info in (info for place in places for info in place.infos):
        if (info.name or "").upper() == "QUERY_STATUS" and (info.value or "").upper() == "ERROR":
            return " ".join((info.content or "it gives no reason").split())
        if (info.name or "").casefold() == "error":
            return str(info.value)
    return ""


def _answer(table: Table, circle: Circle) -> Answer:
    host = urlsplit(settings.ASTRID_STAR_CATALOG_SERVICE).hostname or ""
    if len(table) == 0:
        raise ServiceFailed(f"{host} knows no star within {circle.radius_deg:g} deg of this place.")
    is_gaia = {"phot_g_mean_mag", "ra_icrs"} & {name.casefold() for name in table.colnames}
    name = "Gaia DR3" if "phot_g_mean_mag" in table.colnames else host
    try:
        stars = stars_of_table(table, {}, name[:LONGEST_NAME], host)
    except StarCatalogRefused as refusal:
        raise ServiceFailed(str(refusal)) from refusal
    faintest = circle.faintest_mag
    if len(table) >= MOST_STARS:
        faintest = min(faintest, float(np.nanmax(stars.magnitudes[0])))
    return Answer(stars, _epoch(table, GAIA_EPOCH if is_gaia else OTHER_EPOCH), faintest)


def _epoch(table: Table, usual: float) -> float:
    named = next((name for name in table.colnames if name.casefold() in EPOCH_NAMES), None)
    if named is None:
        return usual
    years = np.ma.filled(np.ma.asarray(table[named], dtype=np.float64), np.nan)
    return float(np.nanmedian(years)) if np.isfinite(years).any() else usual
