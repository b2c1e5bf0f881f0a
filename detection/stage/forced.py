"""Measure every source, and everything that moves, in every difference that shows its place."""

from __future__ import annotations

from itertools import islice

from catalog.configuration.values import snapshot
from catalog.work import jobs
from detection.models import ForcedPhotometry
from detection.sources.unmeasured import Work, elsewhere, of_night
from detection.stage.forced_pixels import rows_of
from differencing.ids import field_and_night
from differencing.models import DifferenceRun
from observations.models import Field

# What a measurement that is made again writes anew.
_VALUES = (
    "difference_run", "ra", "dec", "position_error_arcsec", "flux", "flux_error", "limiting_flux", "total_flux",
    "total_flux_error", "reason", "mjd_utc", "bjd_tdb", "is_geocentric", "zero_point_mag", "zero_point_error",
    "zero_point_system", "updated_at",
)  # fmt: skip
_ROWS_AT_ONCE = 1000


def run(key: str) -> None:
    """Measure what is left to measure for "<field id>/<date>".

    In the differences of that field and night: all sources, and what moves where it was not detected. In the latest of
    all other differences of the place, so many as are configured: the sources that were detected on that night; what
    is left of these is the work of `forced_backlog`. A measurement is made again when its frame was compared or
    calibrated anew, or when the source turns out to be elsewhere by more than its error. It replaces the one against
    the same reference, and stands beside those against others.
    """
    field_id, night = field_and_night(key)
    for work in of_night(Field.objects.get(pk=field_id), night):
        _measure(work)
    measure_elsewhere(key)


def measure_elsewhere(key: str) -> None:
    """Measure the sources detected on that night in the latest other differences where they are not measured yet."""
    field_id, night = field_and_night(key)
    at_once = snapshot()["detection.forced_differences_at_once"]
    for work in islice(elsewhere(Field.objects.get(pk=field_id), night), at_once):
        _measure(work)


def _measure(work: Work) -> None:
    rows = rows_of(work)
    with jobs.writing():
        # Compared anew while these were measured: then they are of images that are gone.
        same = DifferenceRun.objects.filter(pk=work.run.pk, completed_at=work.run.completed_at)
        if same.select_for_update().exists():
            _store([row for row in rows if row.source_id is not None], "source")
            _store([row for row in rows if row.tracklet_id is not None], "tracklet")


def _store(rows: list[ForcedPhotometry], of: str) -> None:
    ForcedPhotometry.objects.bulk_create(
        rows,
        batch_size=_ROWS_AT_ONCE,
        update_conflicts=True,
        unique_fields=(of, "observation", "reference"),
        update_fields=_VALUES,
    )
