"""What was reported already: nothing goes to the same service twice while what was said stands."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from catalog.json_classes import read_as
from curation.models import STANDING, ReportRow, ReportService
from curation.numerics.ades import AdesPosition
from curation.reports.facts import Draft, Finding, MovingBody
from observations.numerics.sphere import separation_deg

# Any object that has a name within this is taken for the same, at whatever date.
SAME_OBJECT_ARCSEC = 3.0
# The same exposure, measured again.
_SAME_POSITION_ARCSEC, _SAME_TIME_S = 2.0, 1.0
_DAY_S = 86400.0
# "reports", as a number of PostgreSQL's locks.
_LOCK = 0x7265706F


def hold() -> None:
    """Let nobody else prepare a report until the transaction ends: what both see is then the same."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def duplicates(draft: Draft) -> tuple[Finding, ...]:
    """Return what of a draft was reported before, or twice in itself."""
    if draft.service == ReportService.TNS:
        return _same_objects(draft)
    return tuple(_same_positions(draft))


def _same_objects(draft: Draft) -> tuple[Finding, ...]:
    found = []
    standing = ReportRow.objects.filter(report__service=ReportService.TNS, status__in=STANDING)
    for number, row in enumerate(draft.rows):
        for other in standing.cone(row.ra, row.dec, SAME_OBJECT_ARCSEC).order_by("id"):
            apart = 3600.0 * float(separation_deg(row.ra, row.dec, other.ra, other.dec))
            called = other.name or other.internal_name
            said = f"{called}, {apart:.1f}″ away, was reported already ({other.get_status_display()})."
            found.append(Finding(row.title, said))
        for other_draft in draft.rows[:number]:
            if 3600.0 * float(separation_deg(row.ra, row.dec, other_draft.ra, other_draft.dec)) <= SAME_OBJECT_ARCSEC:
                found.append(Finding(row.title, f"{other_draft.title} of the same report is within 3″ of it."))
    return tuple(found)


def _same_positions(draft: Draft) -> list[Finding]:
    own = [(row.title, row.key, position) for row in draft.rows for position in _positions(row.body)]
    if not own:
        return []
    first = min(row.first_mjd_utc for row in draft.rows) - 1.0 / _DAY_S
    last = max(row.last_mjd_utc for row in draft.rows) + 1.0 / _DAY_S
    standing = ReportRow.objects.filter(
        report__service=ReportService.MPC, report__station=draft.station, status__in=STANDING,
        first_mjd_utc__lte=last, last_mjd_utc__gte=first,
    )  # fmt: skip
    told = [(row, position) for row in standing for position in _positions(read_as(MovingBody, row.body))]
    found: dict[tuple[str, str], Finding] = {}
    for title, _, position in own:
        for row, other in told:
            if _is_same(position, other):
                said = (
                    f"its position of {position.obs_time:%Y-%m-%d %H:%M:%S} UTC was reported as {row.internal_name} "
                    f"already ({row.get_status_display()})."
                )
                found.setdefault((title, row.internal_name), Finding(title, said))
    return [*found.values(), *_twice_within(own)]


def _twice_within(own: Sequence[tuple[str, UUID, AdesPosition]]) -> list[Finding]:
    found = []
    for index, (title, key, position) in enumerate(own):
        for other_title, other_key, other in own[:index]:
            if key != other_key and _is_same(position, other):
                found.append(Finding(title, f"it shares a position with {other_title} of the same report."))
                break
    return found


def _positions(body: object) -> tuple[AdesPosition, ...]:
    return body.positions if isinstance(body, MovingBody) else ()


def _is_same(one: AdesPosition, other: AdesPosition) -> bool:
    if abs((one.obs_time - other.obs_time).total_seconds()) > _SAME_TIME_S:
        return False
    return 3600.0 * float(separation_deg(one.ra, one.dec, other.ra, other.dec)) <= _SAME_POSITION_ARCSEC
