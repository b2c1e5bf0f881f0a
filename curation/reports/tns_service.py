"""The Transient Name Server: what is sent to it, what is asked of it, and what its answers say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlencode
from uuid import UUID

from curation.models import Report, ReportRow, ReportStatus
from curation.reports.asking import Asked, Came, Knows, Reply, Sent, Told, request, unclear
from curation.reports.documents import json_document
from curation.reports.duplicates import SAME_OBJECT_ARCSEC
from curation.reports.setup import TnsSetup, tns_setup

# From when on a report that the service does not know has not arrived: it takes them in within minutes.
SETTLED_SECONDS = 1800.0
_NEW, _KNOWN = "100", "101"
_MOST_WORDS = 5


def send(_: Report, rows: Sequence[ReportRow]) -> Sent:
    """Send a report with some of its objects."""
    reply = _call("set/bulk-report", {"data": json_document(rows).decode()})
    if (said := unclear(reply)) is not None:
        return said
    content = _data(reply)
    if reply.code is not None and reply.code >= 400:
        return Sent(Came.REFUSED, reply, _words(reply))
    reference = content.get("report_id") if content is not None else None
    if not isinstance(reference, int | str) or not reference:
        return Sent(Came.UNKNOWN, reply, "The service answered, but gave no number of the report.")
    return Sent(Came.TAKEN, reply, reference=str(reference))


def ask(report: Report, rows: Sequence[ReportRow]) -> Asked:
    """Ask what became of a report: by its number, or, where none came, by our names of its objects."""
    return _by_number(report, rows) if report.reference else _by_names(rows)


def named_nearby(rows: Sequence[ReportRow]) -> Asked:
    """Ask whether something that has a name is where a report says that something new is, at whatever date."""
    told: dict[UUID, Told] = {}
    reply: Reply | None = None
    for row in rows:
        where = {
            "ra": f"{row.ra:.7f}",
            "dec": f"{row.dec:+.7f}",
            "radius": f"{SAME_OBJECT_ARCSEC:g}",
            "units": "arcsec",
        }
        reply, names = _search(where)
        if names is None:
            return Asked(Knows.NO_ANSWER, reply, _unreadable(reply))
        if names:
            known = ", ".join(names)
            told[row.pk] = Told(
                ReportStatus.REFUSED, reason=f"{known} is within {SAME_OBJECT_ARCSEC:g}″ of it already."
            )
    return Asked(Knows.SAYS if told else Knows.NOTHING, reply, told=told)


def _by_number(report: Report, rows: Sequence[ReportRow]) -> Asked:
    reply = _call("get/bulk-report-reply", {"report_id": report.reference})
    content = _data(reply)
    if reply.code == 404 or (content is None and reply.code == 200):
        return Asked(Knows.NOT_YET, reply, "The service has not gone through it yet.")
    feedback = content.get("feedback") if content is not None else None
    entries = feedback.get("at_report") if isinstance(feedback, Mapping) else None
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        return Asked(Knows.NO_ANSWER if reply.code != 200 else Knows.NOT_YET, reply, _unreadable(reply))
    by_number = {row.number: row for row in rows}
    told = {}
    for number, entry in zip(report.sent_rows, entries, strict=False):
        if number in by_number and entry:
            told[by_number[number].pk] = _of_entry(entry)
    return Asked(Knows.SAYS if told else Knows.NOT_YET, reply, told=told)


def _of_entry(entry: object) -> Told:
    """Return what is said of one object: a name, that of what was known there before, or what is wrong with it."""
    if isinstance(entry, Mapping):
        for code in (_NEW, _KNOWN):
            found = entry.get(code)
            name = found.get("objname") if isinstance(found, Mapping) else None
            if isinstance(found, Mapping) and isinstance(name, str) and name:
                prefix = found.get("prefix") or "AT"
                reason = "" if code == _NEW else "It was known before: the report was added to it."
                return Told(ReportStatus.NAMED, f"{prefix} {name}", reason)
    words = list(dict.fromkeys(_messages(entry)))[:_MOST_WORDS]
    return Told(ReportStatus.REFUSED, reason=" ".join(words) or json.dumps(entry)[:500])


def _by_names(rows: Sequence[ReportRow]) -> Asked:
    told: dict[UUID, Told] = {}
    reply: Reply | None = None
    for row in rows:
        reply, names = _search({"internal_name": row.internal_name, "internal_name_exact_match": "1"})
        if names is None:
            return Asked(Knows.NO_ANSWER, reply, _unreadable(reply), told)
        if names:
            told[row.pk] = Told(ReportStatus.NAMED, names[0])
    return Asked(Knows.SAYS if told else Knows.NOTHING, reply, told=told)


def _search(asked: Mapping[str, str]) -> tuple[Reply, list[str] | None]:
    """Return the names of what the service finds; None where it cannot be told."""
    reply = _call("get/search", {"data": json.dumps(dict(asked))})
    found = reply.parsed() if reply.code == 200 else None
    content = found.get("data") if found is not None else None
    entries = content.get("reply") if isinstance(content, Mapping) else content
    if not isinstance(entries, list):
        return reply, None
    names = []
    for entry in entries:
        name = entry.get("objname") if isinstance(entry, Mapping) else None
        if not isinstance(entry, Mapping) or not isinstance(name, str):
            return reply, None
        names.append(f"{entry.get('prefix') or 'AT'} {name}")
    return reply, names


def _call(path: str, fields: Mapping[str, str]) -> Reply:
    setup: TnsSetup = tns_setup()
    body = urlencode({"api_key": setup.key, **fields}).encode()
    headers = {**setup.headers, "Content-Type": "application/x-www-form-urlencoded"}
    reply = request(f"{setup.url}/{path}", body, headers)
    if setup.key and setup.key in reply.text:
        # What is kept and shown never holds the key, whatever the service sends back.
        return replace(reply, text=reply.text.replace(setup.key, "…"))
    return reply


def _data(reply: Reply) -> Mapping[str, object] | None:
    found = reply.parsed()
    data = found.get("data") if found is not None else None
    return data if isinstance(data, Mapping) else None


def _words(reply: Reply) -> str:
    """Return what the service says is wrong, in its own words."""
    found = reply.parsed()
    words = list(dict.fromkeys(_messages(found)))[:_MOST_WORDS] if found is not None else []
    return " ".join([reply.reason, *words])


def _unreadable(reply: Reply) -> str:
    return reply.reason if reply.code != 200 else "What the service answered cannot be read."


def _messages(entry: object) -> Iterator[str]:
    """Yield the messages that stand anywhere in an answer."""
    if isinstance(entry, Mapping):
        for name, value in entry.items():
            if name in ("message", "id_message") and isinstance(value, str):
                yield value
            else:
                yield from _messages(value)
    elif isinstance(entry, list):
        for value in entry:
            yield from _messages(value)
