"""A packet under the names of GCN's unified schema (nasa-gcn/gcn-schema, notices/core), where they mean the same."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from curation.models import AlertType
from curation.packets.facts import Record, part_of

SCHEMAS = "https://gcn.nasa.gov/schema/main/gcn/notices/core"
_KINDS = {
    AlertType.NEW.value: "initial",
    AlertType.UPDATE.value: "update",
    AlertType.RETRACTION.value: "retraction",
}
_ARCSEC_PER_DEG = 3600.0
# Share of a Gaussian in two axes that lies within one sigma of either.
_WITHIN_1_SIGMA = 1.0 - math.exp(-0.5)


def gcn_of(packet: Record) -> dict[str, object]:
    """Return a packet as a notice; what is not known is left out, since the schemas know no null.

    Not told: `p_astro`, which is a probability, as our score is none; `classification`, as labels have no
    probabilities. A magnitude without a system is left out: there it would stand for AB.
    """
    seen, source = part_of(packet, "detection"), part_of(packet, "source")
    has_mag = seen["mag"] is not None and seen["magSystem"] is not None
    error = source["positionErrArcsec"]
    told: dict[str, object] = {
        "$schema": f"{SCHEMAS}/Alert.schema.json",
        "id": [str(packet["alertId"]), packet["alertUuid"]],
        "event_name": source["designation"],
        "mission": seen["telescope"] or seen["survey"],
        "instrument": seen["camera"],
        "messenger": "EM",
        "record_number": packet["version"],
        "alert_datetime": packet["publishedUtc"],
        "alert_tense": "test" if packet["role"] == "test" else "current",
        "alert_type": _KINDS.get(str(packet["kind"])),
        "trigger_time": seen["midpointUtc"],
        **_exposure(seen),
        "ra": source["ra"],
        "dec": source["dec"],
        "ra_dec_error": error / _ARCSEC_PER_DEG if isinstance(error, float) else None,
        "containment_probability": round(_WITHIN_1_SIGMA, 4) if isinstance(error, float) else None,
        "filter": seen["band"],
        "mag": seen["mag"] if has_mag else None,
        "mag_error": seen["magErr"] if has_mag else None,
        "mag_system": seen["magSystem"] if has_mag else None,
        "image_snr": seen["snr"],
        "image_duration": seen["exptime"],
        "additional_info": "\n".join([str(packet["title"]), str(packet["message"])]),
        "data_archive_page": part_of(packet, "links")["page"] if packet["links"] else None,
    }
    return {name: value for name, value in told.items() if value is not None}


def _exposure(seen: Record) -> dict[str, object]:
    """Return start, end and length of the exposure; nothing where its length is not known."""
    seconds = seen["exptime"]
    if not isinstance(seconds, float):
        return {}
    middle = datetime.fromisoformat(str(seen["midpointUtc"]))
    start, stop = (middle + timedelta(seconds=sign * seconds / 2.0) for sign in (-1.0, 1.0))
    return {
        "observation_start": _written(start),
        "observation_stop": _written(stop),
        "observation_livetime": seconds,
    }


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
