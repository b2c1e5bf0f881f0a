"""Images of surveys, given as files, for the fields and bands that they serve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.db.models import Q

from catalog.failures import StageFailure
from catalog.people.audit import MACHINE
from differencing.models import Reference
from differencing.stage.given import Serves, give_reference
from observations.models import Field, Observation
from observations.numerics.bands import normalise_band
from observations.numerics.fits.facts import FitsRefused
from observations.numerics.fits.survey import SurveyImage, read_survey_image

Report = Callable[[str], None]


@dataclass(frozen=True)
class Wanted:
    """A file, and which field and band it is given for: all that it covers, and its own, where that is not said."""

    path: Path
    field: str | None = None
    band: str | None = None
    is_promoted: bool = False


def give(wanted: Wanted, report: Report) -> list[Reference]:
    """Make a reference of an image for each field and band that it serves; say what became of it."""
    try:
        image = read_survey_image(wanted.path, band=wanted.band)
    except FitsRefused as refusal:
        report(f"{wanted.path.name}: {refusal}")
        return []
    except OSError as error:
        report(f"{wanted.path.name}: {error.strerror or 'it cannot be read'}.")
        return []
    made = []
    for serves in _served(wanted, image, report):
        label = f"{wanted.path.name} for {serves.field} in {serves.filter_band}"
        try:
            row = give_reference(wanted.path, serves, MACHINE, is_promoted=wanted.is_promoted)
        except StageFailure as failure:
            report(f"{label}: {failure.sentence}")
            continue
        state = (
            "promoted" if row.is_active else "not promoted: another one is; look at it, then promote it in the admin"
        )
        report(f"{label}: {row}, {state}")
        made.append(row)
    return made


def _served(wanted: Wanted, image: SurveyImage, report: Report) -> list[Serves]:
    """Return the fields whose centre the image shows, with the bands of their frames that fit."""
    fields = [field for field in _fields(wanted.field) if wanted.field is not None or _shows(image, field)]
    if not fields:
        report(
            f"{wanted.path.name}: no field of that name." if wanted.field else f"{wanted.path.name}: no field in it."
        )
    served = []
    for field in fields:
        bands = set(Observation.objects.live().filter(field=field).values_list("filter_band", flat=True))
        asked = normalise_band(wanted.band or "") or image.band
        fitting = {band for band in bands if normalise_band(band) == asked}
        if not fitting:
            there = ", ".join(sorted(bands)) or "none"
            report(
                f"{wanted.path.name}: {field} has no frames in {asked or 'an unknown filter'} (there are: {there}); "
                "say by --band which ones are to be compared with it."
            )
        served += [Serves(field, band) for band in sorted(fitting)]
    return served


def _fields(name: str | None) -> list[Field]:
    if name is None:
        return list(Field.objects.order_by("created_at", "id"))
    try:
        by_key = Q(pk=UUID(name))
    except ValueError:
        by_key = Q(name=name)
    return list(Field.objects.filter(by_key))


def _shows(image: SurveyImage, field: Field) -> bool:
    ny, nx = image.data.shape
    x, y = image.wcs.all_world2pix(field.ra, field.dec, 0, quiet=True)
    return bool(0 <= x < nx and 0 <= y < ny)
