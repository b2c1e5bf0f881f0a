"""The Minor Planet Center: what is sent to it, what is asked of it, and what its answers say."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from uuid import UUID

from curation.models import Report, ReportRow, ReportStatus
from curation.numerics import ades
from curation.reports.asking import Asked, Came, Knows, Sent, Told, multipart, request, unclear
from curation.reports.documents import body_of, xml_document
from curation.reports.facts import MovingBody
from curation.reports.setup import mpc_setup

# It may take the Center hours to go through what it got.
SETTLED_SECONDS = 6.0 * 3600.0
_SUBMISSION = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*_\w+")
_SPEAKS_OF_REFUSAL = re.compile(r"reject|refus|invalid|error|duplicate|deleted", re.IGNORECASE)


def send(report: Report, rows: Sequence[ReportRow]) -> Sent:
    """Send a report with some of its objects."""
    setup = mpc_setup()
    fields = {"ack": f"{report.station} {report.pk}", "ac2": setup.email, "obj_type": _queue(rows, setup.object_type)}
    file = ("source", f"{report.pk}.xml", ades.MEDIA_TYPE, xml_document(report, rows))
    body, media_type = multipart(fields, file)
    reply = request(setup.submit_url, body, {"Content-Type": media_type})
    if (said := unclear(reply)) is not None:
        return said
    found = _SUBMISSION.search(reply.text)
    if reply.code is not None and reply.code < 300 and found is not None:
        return Sent(Came.TAKEN, reply, reference=found[0])
    words = f"{reply.reason} {' '.join(reply.text.split())[:500]}".strip()
    if reply.code is not None and (reply.code >= 400 or _SPEAKS_OF_REFUSAL.search(reply.text)):
        return Sent(Came.REFUSED, reply, words)
    return Sent(Came.UNKNOWN, reply, f"It gave no number of the submission. {words}")


def ask(report: Report, rows: Sequence[ReportRow]) -> Asked:
    """Ask where the observations are, by our names of the tracklets and the station."""
    asked = {f"{row.internal_name} {report.station}": row for row in rows}
    headers = {"Content-Type": "application/json"}
    reply = request(mpc_setup().status_url, json.dumps(list(asked)).encode(), headers, "GET")
    content = reply.parsed() if reply.code == 200 else None
    found, lacking = (content.get("found"), content.get("not_found")) if content is not None else (None, None)
    if not isinstance(found, list) or not isinstance(lacking, list):
        return Asked(Knows.NO_ANSWER, reply, reply.reason if reply.code != 200 else "Its answer cannot be read.")
    told: dict[UUID, Told] = {}
    for entry in found:
        for name, observations in entry.items() if isinstance(entry, Mapping) else ():
            if name in asked and isinstance(observations, list) and observations:
                told[asked[name].pk] = _of_observations(observations)
    if told:
        return Asked(Knows.SAYS, reply, told=told)
    is_sure = set(asked) <= {name for name in lacking if isinstance(name, str)}
    return Asked(Knows.NOTHING if is_sure else Knows.NO_ANSWER, reply, "" if is_sure else "It did not say.")


def _of_observations(observations: Sequence[object]) -> Told:
    rows = [row for row in observations if isinstance(row, Mapping)]
    words = next((str(row["status_decoded"]) for row in rows if row.get("status_decoded")), "")
    name = next((str(row["iau_desig"]) for row in rows if row.get("iau_desig")), "")
    if name:
        return Told(ReportStatus.NAMED, name, words)
    if _SPEAKS_OF_REFUSAL.search(words):
        return Told(ReportStatus.REFUSED, reason=words)
    return Told(ReportStatus.RECEIVED, reason=words)


def _queue(rows: Sequence[ReportRow], of_unknown: str) -> str:
    """Return the queue of a report: what all its objects are known to be waits in none of the special ones."""
    bodies = [body for row in rows if isinstance(body := body_of(row), MovingBody)]
    is_known = all(body.positions[0].perm_id or body.positions[0].prov_id for body in bodies if body.positions)
    return "unclassified" if is_known else of_unknown
