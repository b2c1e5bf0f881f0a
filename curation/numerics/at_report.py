"""Discoveries as the Transient Name Server takes them: the JSON of a bulk report of astronomical transients."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

MEDIA_TYPE = "application/json"
# Numbers of the service's own tables.
POSSIBLE_SUPERNOVA, OTHER_TYPE = 1, 0
UNITS: Mapping[str, int] = {"AB": 1, "Vega": 3}


@dataclass(frozen=True, kw_only=True)
class AtPhotometry:
    """What one exposure showed of the object: a magnitude with its error, or a limit alone.

    units, filter_id, instrument_id : numbers of the service's tables.
    """

    obs_time: datetime
    mag: float | None
    mag_error: float | None
    limiting_mag: float | None
    units: int
    filter_id: int
    instrument_id: int
    exposure_s: float | None
    observer: str
    comment: str


@dataclass(frozen=True, kw_only=True)
class AtReport:
    """One discovery; position in ICRS degrees, its error arcseconds, 1 sigma in each axis."""

    internal_name: str
    ra: float
    dec: float
    position_error_arcsec: float
    group_id: int
    source_id: int
    reporter: str
    at_type: int
    discovery: AtPhotometry
    non_detection: AtPhotometry
    remarks: str


def document_of(reports: Mapping[int, AtReport]) -> dict[str, object]:
    """Return one bulk report; the keys are the numbers under which the service answers about each."""
    return {"at_report": {str(number): _entry(report) for number, report in reports.items()}}


def json_of(reports: Mapping[int, AtReport]) -> bytes:
    """Write one bulk report."""
    return json.dumps(document_of(reports), indent=1, ensure_ascii=False).encode() + b"\n"


def tsv_of(reports: Sequence[AtReport]) -> bytes:
    """Write the same as a table with tabs between; the columns have the names of the JSON."""
    rows = [_flat(_entry(report)) for report in reports]
    names = list(rows[0]) if rows else []
    lines = ["\t".join(names)] + ["\t".join(_cell(row.get(name, "")) for name in names) for row in rows]
    return ("\n".join(lines) + "\n").encode()


def filters_of(text: str) -> dict[str, int]:
    """Read "g=21 r=22"; raises ValueError, naming the entry that is not so."""
    found = {}
    for entry in text.split():
        matched = re.fullmatch(r"([^=]+)=(\d+)", entry)
        if matched is None:
            raise ValueError(entry)
        found[matched[1]] = int(matched[2])
    return found


def _entry(report: AtReport) -> dict[str, object]:
    seen = report.discovery
    return {
        "ra": {"value": f"{report.ra:.7f}", "error": f"{report.position_error_arcsec:.3f}", "units": "arcsec"},
        "dec": {"value": f"{report.dec:+.7f}", "error": f"{report.position_error_arcsec:.3f}", "units": "arcsec"},
        "reporting_group_id": str(report.group_id),
        "discovery_data_source_id": str(report.source_id),
        "reporter": report.reporter,
        "discovery_datetime": _time(seen.obs_time),
        "at_type": str(report.at_type),
        "internal_name": report.internal_name,
        "remarks": report.remarks,
        "non_detection": _photometry(report.non_detection) | {"archiveid": "", "archival_remarks": ""},
        "photometry": {"photometry_group": {"0": _photometry(seen)}},
    }


def _photometry(seen: AtPhotometry) -> dict[str, str]:
    flux = {} if seen.mag is None else {"flux": f"{seen.mag:.3f}", "flux_error": _number(seen.mag_error, 3)}
    return {
        "obsdate": _time(seen.obs_time),
        **flux,
        "limiting_flux": _number(seen.limiting_mag, 2),
        "flux_units": str(seen.units),
        "filter_value": str(seen.filter_id),
        "instrument_value": str(seen.instrument_id),
        "exptime": _number(seen.exposure_s, 1),
        "observer": seen.observer,
        "comments": seen.comment,
    }


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _time(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")


def _flat(entry: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in entry.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = str(value)
    return flat


def _cell(text: str) -> str:
    """Keep a cell in its place, and no formula."""
    plain = " ".join(text.split())
    return f"'{plain}" if plain.startswith(("=", "@")) else plain
