"""What people upload: files of their own machine, or the URL of one."""

from __future__ import annotations

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from observations.delivery.ingest import Overrides
from observations.models import LOCAL_SURVEY, Survey


class ManyFiles(forms.FileField):
    """Several files at once."""

    def __init__(self, *, required: bool, label: str) -> None:
        widget = forms.ClearableFileInput()
        widget.allow_multiple_selected = True
        super().__init__(widget=widget, required=required, label=label)

    def clean(self, data: object, initial: object = None) -> list[UploadedFile]:
        """Return the files as a list."""
        given = data if isinstance(data, list | tuple) else [data] if data else []
        return [super(ManyFiles, self).clean(one, initial) for one in given]


class ExtrasForm(forms.Form):
    """What headers may lack; cleaned, it is `overrides` as well."""

    ra_deg = forms.FloatField(required=False, min_value=0, max_value=360, label="RA of the centre, degrees")
    dec_deg = forms.FloatField(required=False, min_value=-90, max_value=90, label="Dec of the centre, degrees")
    pixel_scale_arcsec = forms.FloatField(
        required=False, min_value=0.005, max_value=300, label="Pixel scale, arcseconds"
    )
    band = forms.CharField(required=False, max_length=32, label="Band")
    utc_offset_hours = forms.FloatField(
        required=False, min_value=-14, max_value=14, label="Clock’s offset from UTC, hours"
    )

    def clean(self) -> dict[str, object]:
        """Return the fields and `overrides`; a position is two numbers."""
        given = super().clean() or {}
        if (given.get("ra_deg") is None) != (given.get("dec_deg") is None):
            raise forms.ValidationError("A position needs both RA and Dec.")
        if not self.errors:
            names = ("ra_deg", "dec_deg", "pixel_scale_arcsec", "band", "utc_offset_hours")
            given["overrides"] = Overrides(**{name: given[name] for name in names if given.get(name) not in (None, "")})
        return given


class UploadForm(ExtrasForm):
    """Files or an address, and what the headers may lack; `key` tells a form that is sent twice."""

    key = forms.UUIDField(required=False, widget=forms.HiddenInput())

    files = ManyFiles(required=False, label="FITS files")  # type: ignore[assignment]
    fits_url = forms.URLField(required=False, max_length=2000, assume_scheme="https", label="or the URL of a file")
    survey = forms.ModelChoiceField(Survey.objects.none(), required=False, label="Survey", empty_label=LOCAL_SURVEY)

    def __init__(
        self,
        data: QueryDict | None,
        files: MultiValueDict[str, UploadedFile] | None,
        *,
        initial: dict[str, object],
        surveys: QuerySet[Survey],
        is_local_hidden: bool,
    ) -> None:
        super().__init__(data, files, initial=initial)
        survey = self.fields["survey"]
        survey.queryset = surveys.exclude(name=LOCAL_SURVEY).order_by("name")  # type: ignore[attr-defined]
        if is_local_hidden:
            # Without another one it would be that of this computer.
            survey.required, survey.empty_label = True, ""  # type: ignore[attr-defined]

    @property
    def extras(self) -> list[forms.BoundField]:
        """The fields that say what a header may lack, and which survey it is."""
        return [field for field in self.visible_fields() if field.name not in ("files", "fits_url")]

    @property
    def has_wrong_extras(self) -> bool:
        return any(field.errors for field in self.extras)

    def clean(self) -> dict[str, object]:
        """Return the fields and `overrides`; something must be uploaded."""
        given = super().clean()
        if not given.get("files") and not given.get("fits_url") and not self.errors:
            raise forms.ValidationError("Choose a file or give a URL.")
        return given
