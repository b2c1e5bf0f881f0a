"""Sources and tracklets that may be reported, and what workers would do for reports now."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from catalog.configuration.values import set_value
from catalog.people.audit import MACHINE
from catalog.work import jobs
from curation.models import Report
from curation.reports.ordering import order_due
from detection.models import ContextKind, Source
from differencing.models import Tracklet
from observations.models import Observation, Telescope, WcsQuality
from observations.numerics.site import mjd_of
from tests.factories import (
    FIRST_EXPOSURE,
    CandidateFactory,
    ContextAreaFactory,
    DetectionFactory,
    DifferenceRunFactory,
    ForcedPhotometryFactory,
    KnownObjectSearchFactory,
    ObservationFactory,
    PreprocessRunFactory,
    ReferenceFactory,
    SourceFactory,
    TelescopeFactory,
    TrackletFactory,
)
from tests.namers import KEY

SETTING = {
    "mpc_sending": "on_request",
    "tns_sending": "on_request",
    "mpc_submitter": "A. Observer",
    "mpc_observers": "A. Observer, B. Watcher",
    "mpc_measurers": "A. Observer",
    "mpc_email": "observer@example.org",
    "tns_bot_id": 4711,
    "tns_bot_name": "AstrID bot",
    "tns_api_key": KEY,
    "tns_group_id": 135,
    "tns_reporters": "A. Observer (Institute)",
    "tns_filters": "r=22 R=13",
}


def configure(**changed: object) -> None:
    """Set what reports need."""
    for name, value in (changed or SETTING).items():
        set_value(f"reports.{name}", value, MACHINE)


def telescope(**values: Any) -> Telescope:
    """Make a telescope of which all is known that reports name."""
    known = {
        "mpc_code": "X99", "design": "Reflector", "aperture_m": 0.4, "detector": "CMO", "tns_instrument_id": 321,
        **values,
    }  # fmt: skip
    return TelescopeFactory(**known)


def frame(minutes: float, of: Telescope, **values: Any) -> Observation:
    """Make a solved frame with its zero point, so many minutes into the night."""
    start = FIRST_EXPOSURE + dt.timedelta(minutes=minutes)
    middle = start + dt.timedelta(seconds=30.0)
    given = {"observation_time": start, "mjd_utc": mjd_of(middle), "wcs_quality": WcsQuality.SOLVED, "seeing": 2.2}
    row = ObservationFactory(telescope=of, **(given | values))
    PreprocessRunFactory(
        observation=row, zero_point_mag=25.0, zero_point_error=0.03, zero_point_catalogue="Gaia DR3",
        zero_point_band="G", zero_point_system="AB", limiting_magnitude=20.5, fwhm_px=2.0,
        wcs_info={"anchor": str(row.pk), "solution": {"method": "Gaia DR3"}, "error_px": 0.05},
    )  # fmt: skip
    return row


def source_to_report(dec: float = 2.01, of: Telescope | None = None, **seen: Any) -> Source:
    """Make a source that people judged real, with a frame before it in which it was not, and catalogues about it."""
    of = of or telescope()
    before, first = frame(-60.0, of), frame(0.0, of)
    source = SourceFactory(dec=dec, wcs_quality=WcsQuality.SOLVED)
    candidate = CandidateFactory(difference_run=DifferenceRunFactory(observation=first), dec=dec, position_error_px=0.1)
    DetectionFactory(candidate=candidate, source=source, **({"status": "validated"} | seen))
    KnownObjectSearchFactory(observation=first)
    ContextAreaFactory(kind=ContextKind.VARIABLE)
    ForcedPhotometryFactory(
        source=source, difference_run=DifferenceRunFactory(observation=before, reference=ReferenceFactory()),
        zero_point_system="AB", zero_point_mag=25.0,
    )  # fmt: skip
    return source


def tracklet_to_report(
    count: int = 4, of: Telescope | None = None, minutes: float = 0.0, dec: float = 2.0, **values: Any
) -> Tracklet:
    """Make what moves, in so many frames, with a detection in each."""
    of = of or telescope()
    row = TrackletFactory(**values)
    for number in range(count):
        seen = frame(minutes + 10.0 * number, of)
        candidate = CandidateFactory(
            difference_run=DifferenceRunFactory(observation=seen), ra=150.0 + 0.002 * number, dec=dec + 0.001 * number,
            position_error_px=0.1,
        )  # fmt: skip
        row.members.add(candidate)
        KnownObjectSearchFactory(observation=seen)
        DetectionFactory(candidate=candidate, source=None)
    return row


def work() -> int:
    """Order what is due and do it, as the workers of the queue would; return how many jobs were done."""
    order_due()
    done = 0
    while (job := jobs.claim_next(["report"], "tests")) is not None:
        jobs.do(job)
        done += 1
    return done


def pass_time(report: Report, hours: float = 0.0) -> None:
    """Let the time pass until the next try, and so many hours since the last request to send."""
    now = timezone.now()
    Report.objects.filter(pk=report.pk, next_try_at__isnull=False).update(next_try_at=now)
    if hours:
        Report.objects.filter(pk=report.pk).update(last_sent_at=now - dt.timedelta(hours=hours))


def state(report: Report) -> tuple[str, list[tuple[str, str]]]:
    """Return the state of a report, and state and name of each object."""
    report.refresh_from_db()
    return report.status, list(report.rows.order_by("number").values_list("status", "name"))
