"""The form by which people say how a survey's archive is read."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.conf import settings
from django.http import QueryDict

from catalog.web.filters import day_input, start_of
from observations.archives.keeping import Wish
from observations.archives.question import DEEPEST, LEAST_ROWS, MOST_ROWS, Question, question_of
from observations.models import Archive, ArchiveKind

_LEVELS = [("0", "0 raw"), ("1", "1 instrumental"), ("2", "2 calibrated"), ("3", "3 stacked"), ("4", "4 analysed")]
_MOST_POSITIONS = 20
_A_WEEK = dt.timedelta(days=7)


def _number(label: str, low: float, high: float, **more: object) -> forms.FloatField:
    control = forms.NumberInput(attrs={"step": "any"})
    return forms.FloatField(label=label, min_value=low, max_value=high, widget=control, **more)  # type: ignore[arg-type]


class ArchiveForm(forms.Form):
    """One archive: where, which images, and when."""

    survey = forms.CharField(max_length=100, label="Survey that the frames belong to; a new name makes one")
    kind = forms.ChoiceField(choices=ArchiveKind, label="Read as")
    place = forms.CharField(max_length=500, label="Address of its queries, list or index page; or the folder")
    credential = forms.ChoiceField(required=False, label="Token, by its name in ASTRID_ARCHIVE_TOKENS")
    begins_at = forms.DateField(widget=day_input(), label="Images taken since (UTC)")
    positions = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "CIRCLE 83.63 22.01 0.5"}),
        label="Positions, one on each line: CIRCLE ra dec radius, RANGE ra ra dec dec or POLYGON, degrees",
    )
    band_from_nm = _number("Wavelengths from, nm", 0.0, 1e9, required=False)
    band_to_nm = _number("Wavelengths to, nm", 0.0, 1e9, required=False)
    collections = forms.CharField(required=False, max_length=500, label="Collections, with commas between")
    instruments = forms.CharField(required=False, max_length=500, label="Instruments, with commas between")
    calib_levels = forms.MultipleChoiceField(
        required=False, choices=_LEVELS, label="Calibration levels", widget=forms.CheckboxSelectMultiple
    )
    most_rows = forms.IntegerField(min_value=LEAST_ROWS, max_value=MOST_ROWS, label="Most rows in one answer (MAXREC)")
    pattern = forms.CharField(required=False, max_length=200, label="Names of files, with * and ? (empty: all FITS)")
    depth = forms.IntegerField(min_value=0, max_value=DEEPEST, label="Levels of folders below an index page")
    every_minutes = forms.IntegerField(
        required=False, min_value=1, max_value=525_600, label="Asked every so many minutes"
    )
    nightly_at = forms.TimeField(
        required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"), label="or once a day at (UTC)"
    )
    overlap_hours = _number("Reaches back before the newest image found, hours", 0.0, 87_660.0)
    most_per_night = forms.IntegerField(min_value=1, max_value=1_000_000, label="Fetched within 24 hours, at most")

    def __init__(self, data: QueryDict | None = None, *, row: Archive | None = None, today: dt.date) -> None:
        self.row = row
        super().__init__(data, initial=_initial(row, today), auto_id="archive_%s")
        tokens = self.fields["credential"]
        if isinstance(tokens, forms.ChoiceField):
            names = {*settings.ASTRID_ARCHIVE_TOKENS, *([row.credential] if row and row.credential else [])}
            tokens.choices = [("", "none"), *((name, name) for name in sorted(names))]
        if row is not None:
            self.fields["survey"].disabled = True

    @property
    def of_sia2(self) -> list[forms.BoundField]:
        """What only a SIA 2 service is asked by, without its calibration levels."""
        return [
            self[name]
            for name in ("positions", "band_from_nm", "band_to_nm", "collections", "instruments", "most_rows")
        ]

    def clean_positions(self) -> tuple[str, ...]:
        """Return the lines that say something."""
        lines = tuple(line.strip() for line in str(self.cleaned_data["positions"]).splitlines() if line.strip())
        if len(lines) > _MOST_POSITIONS:
            raise forms.ValidationError(f"Give at most {_MOST_POSITIONS} positions.")
        return lines

    @property
    def wish(self) -> Wish:
        """Return what is asked for, of a form that is valid."""
        given = self.cleaned_data
        question = Question(
            positions=given["positions"],
            band_from_nm=given["band_from_nm"],
            band_to_nm=given["band_to_nm"],
            collections=_words(given["collections"]),
            instruments=_words(given["instruments"]),
            calib_levels=tuple(int(level) for level in given["calib_levels"]),
            most_rows=given["most_rows"],
            pattern=given["pattern"],
            depth=given["depth"],
        )
        return Wish(
            survey=given["survey"],
            kind=ArchiveKind(given["kind"]),
            place=given["place"].strip(),
            question=question,
            begins_at=start_of(given["begins_at"]),
            every_minutes=given["every_minutes"],
            nightly_at=given["nightly_at"],
            overlap_hours=given["overlap_hours"],
            most_per_night=given["most_per_night"],
            credential=given["credential"],
        )


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _initial(row: Archive | None, today: dt.date) -> dict[str, object]:
    question = Question() if row is None else question_of(row)
    asked = {
        **vars(question),
        "positions": "\n".join(question.positions),
        "collections": ", ".join(question.collections),
        "instruments": ", ".join(question.instruments),
        "calib_levels": [str(level) for level in question.calib_levels],
    }
    if row is None:
        return asked | {"begins_at": today - _A_WEEK, "overlap_hours": 48, "most_per_night": 500, "nightly_at": "14:00"}
    names = ("kind", "credential", "every_minutes", "nightly_at", "overlap_hours", "most_per_night")
    kept = {name: getattr(row, name) for name in names}
    return asked | kept | {"survey": row.survey.name, "place": row.address, "begins_at": row.begins_at.date()}
