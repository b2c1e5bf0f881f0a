"""A report as the file that is sent, and as the other forms of it that people take along."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from catalog.json_classes import read_as
from curation.models import Report, ReportRow, ReportService
from curation.numerics import ades, at_report
from curation.numerics.ades import AdesHead, AdesPosition
from curation.numerics.at_report import AtReport
from curation.reports.facts import Draft, MovingBody


@dataclass(frozen=True)
class Form:
    """One form of a report: its media type, and what writes it."""

    media_type: str
    write: Callable[[Report, Sequence[ReportRow]], bytes]


def body_of(row: ReportRow) -> MovingBody | AtReport:
    """Return what was frozen of an object."""
    is_mpc = row.report.service == ReportService.MPC
    return read_as(MovingBody, row.body) if is_mpc else read_as(AtReport, row.body)


def xml_document(report: Report, rows: Sequence[ReportRow]) -> bytes:
    """Write the ADES document of some objects of a report."""
    return ades.xml_of(read_as(AdesHead, report.head), _positions(rows))


def psv_document(report: Report, rows: Sequence[ReportRow]) -> bytes:
    """Write the same with bars between."""
    return ades.psv_of(read_as(AdesHead, report.head), _positions(rows))


def json_document(rows: Sequence[ReportRow]) -> bytes:
    """Write the bulk report of some objects, numbered from 0 in their order."""
    return at_report.json_of(dict(enumerate(_discoveries(rows))))


def _json(_: Report, rows: Sequence[ReportRow]) -> bytes:
    return json_document(rows)


def _tsv(_: Report, rows: Sequence[ReportRow]) -> bytes:
    return at_report.tsv_of(_discoveries(rows))


FORMS: Mapping[str, Mapping[str, Form]] = {
    ReportService.MPC: {
        "xml": Form(ades.MEDIA_TYPE, xml_document),
        "psv": Form("text/plain; charset=utf-8", psv_document),
    },
    ReportService.TNS: {
        "json": Form(at_report.MEDIA_TYPE, _json),
        "tsv": Form("text/tab-separated-values; charset=utf-8", _tsv),
    },
}


def _positions(rows: Sequence[ReportRow]) -> list[AdesPosition]:
    return [position for row in rows for position in read_as(MovingBody, row.body).positions]


def _discoveries(rows: Sequence[ReportRow]) -> list[AtReport]:
    return [read_as(AtReport, row.body) for row in rows]


def draft_document(draft: Draft) -> bytes:
    """Write a report as it would be sent; nothing where it would hold no object."""
    if not draft.rows:
        return b""
    if draft.service == ReportService.TNS:
        return at_report.json_of({n: row.body for n, row in enumerate(draft.rows) if isinstance(row.body, AtReport)})
    positions = [each for row in draft.rows if isinstance(row.body, MovingBody) for each in row.body.positions]
    return ades.xml_of(draft.head, positions) if draft.head is not None else b""
