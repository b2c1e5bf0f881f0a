"""What the page without scripts sends: where it is in the queue, and what its person says."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils import timezone

from curation.judgements.verdicts import Judgement
from curation.models import ConfidenceLevel, DeferralKind, LabelDefinition, Quality, Shown
from curation.triage.forms import MOST_TAGS, KeysField

REAL, BOGUS, LABEL = "real", "bogus", "label:"
_QUALITIES = [("", "not given"), *Quality.choices]
# Until when an item is put off, in hours.
_WHILES = {"": None, "12": 12, "24": 24, "72": 72, "168": 168}
_UNTIL = [
    ("", "until it is seen again"), ("12", "for 12 hours"), ("24", "for a day"), ("72", "for 3 days"),
    ("168", "for a week"),
]  # fmt: skip


class PlaceForm(forms.Form):
    """Where a window is: what is on screen, which epoch of it is large, what came before, which one is asked for.

    frame : of whose frame the rejection is looked at before.
    """

    window = forms.UUIDField()
    item = forms.UUIDField(required=False)
    large = forms.UUIDField(required=False)
    after = forms.UUIDField(required=False)
    detection = forms.UUIDField(required=False)
    frame = forms.UUIDField(required=False)


class RejectionForm(forms.Form):
    """The rejection of a whole frame."""

    person = forms.UUIDField()
    group = forms.UUIDField()
    context = forms.JSONField(required=False)
    label = forms.CharField(required=False, max_length=64)
    notes = forms.CharField(required=False, max_length=5000, strip=False)


class SaidForm(forms.Form):
    """An answer, or what is done in its place. What the page knows by itself stands first."""

    person = forms.UUIDField()
    key = forms.UUIDField()
    detection = forms.UUIDField()
    was_held = forms.BooleanField(required=False)
    supersedes = forms.UUIDField(required=False)
    begun = forms.DateTimeField(required=False)
    context = forms.JSONField(required=False)
    unseen = KeysField(required=False)
    covers = KeysField(required=False)
    covers_unseen = forms.BooleanField(required=False)
    say = forms.CharField()

    level = forms.ChoiceField(
        choices=ConfidenceLevel, initial=ConfidenceLevel.MEDIUM, widget=forms.RadioSelect, label="Confidence"
    )
    image_quality = forms.ChoiceField(choices=_QUALITIES, required=False, label="Image quality")
    detection_quality = forms.ChoiceField(choices=_QUALITIES, required=False, label="Detection quality")
    tags = forms.CharField(
        required=False, max_length=500, label="Tags, with commas between them",
        widget=forms.TextInput(attrs={"list": "tags-in-use"}),
    )  # fmt: skip
    notes = forms.CharField(
        required=False, max_length=5000, label="Note", widget=forms.Textarea(attrs={"rows": 2}), strip=False
    )
    until = forms.ChoiceField(choices=_UNTIL, required=False, label="Until when")

    # What people did not write themselves, and cannot correct.
    of_the_page = (
        "person", "key", "detection", "was_held", "supersedes", "begun", "context", "unseen", "covers", "covers_unseen",
    )  # fmt: skip

    def __init__(self, data: QueryDict | None = None) -> None:
        """Read several ticked epochs as one list of keys."""
        if data is not None:
            ticked = ",".join(data.getlist("covers"))
            data = data.copy()
            data["covers"] = ticked
        super().__init__(data, auto_id="answer_%s")

    def clean_tags(self) -> tuple[str, ...]:
        """Return the tags, each once; whether they can be stored is for the rule of answers to say."""
        given = [tag.strip() for tag in self.cleaned_data["tags"].split(",")]
        tags = tuple(dict.fromkeys(tag for tag in given if tag))
        if len(tags) > MOST_TAGS:
            raise forms.ValidationError(f"At most {MOST_TAGS} tags.")
        return tags

    @property
    def refusal(self) -> str:
        """Return in a sentence why this cannot be taken."""
        if any(name in self.errors for name in self.of_the_page):
            return "This page was damaged on its way, and nothing was kept. It is here anew: answer again."
        if "say" in self.errors:
            return "Nothing was kept, since no answer was chosen: press one of the answers."
        return "Nothing was kept: correct what is marked below, and answer again."

    @property
    def covered(self) -> dict[UUID, str]:
        """Return the other epochs that are ticked, and how they were shown."""
        shown = dict.fromkeys(self.cleaned_data["covers"], Shown.STRIP.value)
        further = self.cleaned_data["unseen"] if self.cleaned_data["covers_unseen"] else []
        return {**dict.fromkeys(further, Shown.UNSEEN.value), **shown}

    @property
    def judgement(self) -> Judgement | None:
        """Return what is said of the large one under the page's own key; None where it is no answer."""
        given = self.cleaned_data
        is_label = given["say"].startswith(LABEL)
        if given["say"] not in (REAL, BOGUS) and not is_label:
            return None
        label = given["say"].removeprefix(LABEL) if is_label else ""
        of_label = LabelDefinition.objects.filter(label=label).values_list("is_valid", flat=True).first()
        seconds = (timezone.now() - given["begun"]).total_seconds() if given["begun"] else None
        return Judgement(
            id=given["key"],
            detection_id=given["detection"],
            # Of a label that does not exist nobody knows it, and the rule of answers says so.
            is_valid=bool(of_label) if is_label else given["say"] == REAL,
            label=label,
            confidence_level=given["level"],
            notes=given["notes"].strip(),
            tags=given["tags"],
            image_quality=given["image_quality"],
            detection_quality=given["detection_quality"],
            supersedes_id=given["supersedes"],
            seconds_taken=None if seconds is None else max(seconds, 0.0),
            visible_context=given["context"] if isinstance(given["context"], dict) else {},
        )

    @property
    def deferral(self) -> tuple[str, dt.datetime | None, str] | None:
        """Return what is put off: its kind, until when, and both in words; None where nothing is."""
        if self.cleaned_data["say"] == DeferralKind.OPINION:
            return DeferralKind.OPINION.value, None, "a second opinion is asked for"
        if self.cleaned_data["say"] != DeferralKind.SNOOZE:
            return None
        hours = _WHILES[self.cleaned_data["until"]]
        until = timezone.now() + dt.timedelta(hours=hours) if hours else None
        return DeferralKind.SNOOZE.value, until, f"put off {dict(_UNTIL)[self.cleaned_data['until']]}"
