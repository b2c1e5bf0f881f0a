"""What the feed is narrowed by: which publications a reader wants, as they were when they were published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django import forms

from catalog.models import Visitor
from catalog.web.filters import NOT_FOUND, ConeField
from curation.alerts.criteria import Criteria
from curation.alerts.facts import Ground
from curation.alerts.takeover import taken_from
from curation.models import AlertPriority, AlertType, SavedFilter
from detection.models import DetectionType


class _Words(forms.Field):
    """Some of several words, with commas between."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        super().__init__(required=False)
        self.known = frozenset(known)

    def to_python(self, value: object) -> tuple[str, ...]:
        words = tuple(word for word in str(value or "").split(",") if word)
        if self.known and (unknown := sorted(set(words) - self.known)):
            raise forms.ValidationError(
                f"There is no {', '.join(unknown)}. There are: {', '.join(sorted(self.known))}."
            )
        return words


def _bound(low: float, high: float) -> forms.FloatField:
    return forms.FloatField(required=False, min_value=low, max_value=high)


class FeedForm(forms.Form):
    """Read by `criteria`; None where everything is wanted."""

    kind = _Words(AlertType.values)
    priority = _Words(AlertPriority.values)
    detection_type = _Words(DetectionType.values)
    label = _Words()
    basis = _Words([Ground.HUMAN.value])
    cone = ConeField(required=False)
    score_min = _bound(0.0, 1.0)
    snr_min = _bound(0.0, 1e6)
    mag_max = _bound(-30.0, 40.0)
    filter = forms.UUIDField(required=False)

    def __init__(self, data: Mapping[str, object], user: Visitor) -> None:
        super().__init__(data)
        self._user = user

    def clean_filter(self) -> Criteria | None:
        """Return what a saved filter says of alerts too; one that says more cannot narrow the feed."""
        key = self.cleaned_data["filter"]
        if key is None:
            return None
        saved = SavedFilter.objects.visible_to(self._user).filter(pk=key).first()
        if saved is None:
            raise forms.ValidationError("There is no such saved filter.", NOT_FOUND)
        taken = taken_from(saved)
        if taken.left:
            raise forms.ValidationError(f"This filter also asks what alerts do not tell: {', '.join(taken.left)}.")
        return taken.criteria

    @property
    def criteria(self) -> Criteria | None:
        """Return what is wanted; None where that is everything."""
        given = self.cleaned_data
        saved: Criteria = given["filter"] or Criteria()
        ra, dec, radius = given["cone"] or (saved.ra_deg, saved.dec_deg, saved.radius_arcsec)
        wanted = Criteria(
            kinds=tuple(AlertType(word) for word in given["kind"]),
            priorities=tuple(AlertPriority(word) for word in given["priority"]),
            detection_types=tuple(DetectionType(word) for word in given["detection_type"]) or saved.detection_types,
            labels=given["label"] or saved.labels,
            ra_deg=ra,
            dec_deg=dec,
            radius_arcsec=radius,
            score_min=saved.score_min if given["score_min"] is None else given["score_min"],
            snr_min=given["snr_min"],
            mag_max=given["mag_max"],
            includes_automatic=not given["basis"],
        )
        return None if wanted == Criteria(includes_automatic=True) else wanted
