"""What is in doubt about frames, and profiles of instruments, in the admin."""

from __future__ import annotations

import json
from functools import partial

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from catalog import roles
from catalog.admin import DropdownFilter, ExactTextFilter, ProductAdmin, RecordAdmin, YesNoFilter, list_link
from catalog.admin.columns import as_key
from catalog.failures import NotPossible
from catalog.people.actors import Actor, actor_of
from observations.admin.frames import frame_link
from observations.claims import doubts, profiles
from observations.models import Doubt, InstrumentProfile, Observation


class JsonArea(UnfoldAdminTextareaWidget):
    """JSON over several lines."""

    def format_value(self, value: object) -> str:
        """Indent what can be read."""
        try:
            return json.dumps(json.loads(str(value)), indent=2, ensure_ascii=False)
        except ValueError:
            return str(value)


class StandingFilter(admin.SimpleListFilter):
    """Doubts that stand, or are settled."""

    title, parameter_name = "standing", "standing"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("yes", "stands"), ("no", "settled")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Doubt]) -> QuerySet[Doubt]:
        return queryset.filter(settled_at__isnull=self.value() == "yes") if self.value() else queryset


@admin.register(Doubt)
class DoubtAdmin(ProductAdmin):
    list_display = (
        frame_link(), "message", "fact", "keyword", "blocks_publication", "origin", "settled_by", "created_at",
    )  # fmt: skip
    list_select_related = ("observation",)
    list_filter = (
        ("blocks_publication", YesNoFilter), StandingFilter, ("code", ExactTextFilter), ("fact", ExactTextFilter),
        ("origin", DropdownFilter),
    )  # fmt: skip
    ordering = ("-created_at", "-id")
    search_fields = ("code", "observation__original_name")
    search_help_text = "Code, file or ID"
    actions = ("settle_doubts", "reopen_doubts")

    def has_settle_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm(roles.MAY_SETTLE_DOUBTS)

    @admin.action(description="Settle", permissions=["settle"])
    def settle_doubts(self, request: HttpRequest, queryset: QuerySet[Doubt]) -> None:
        settle = partial(_settle, note="In the admin.")
        self.do_each(request, queryset, settle, "Doubts settled", NotPossible)

    @admin.action(description="Doubt again", permissions=["settle"])
    def reopen_doubts(self, request: HttpRequest, queryset: QuerySet[Doubt]) -> None:
        self.do_each(request, queryset, doubts.reopen, "Doubts that stand again", NotPossible)


def _settle(row: Doubt, actor: Actor, note: str) -> Doubt:
    return doubts.settle(row, note, actor)


class ProfileForm(forms.ModelForm):
    """A profile whose rules can be followed; tried on a frame where one is named, and then not kept yet."""

    sample = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        label="Try it on",
        help_text="File name or ID of a stored frame. Save then shows what would change, and keeps nothing: empty it "
        "to keep the profile.",
    )

    # A field of a form that is called `matches` takes the place of what scripts ask any element for by that name.
    prefix = "profile"

    class Meta:
        model = InstrumentProfile
        fields = ("name", "description", "is_active", "precedence", "matches", "rules")
        widgets = {"matches": JsonArea, "rules": JsonArea}

    def clean(self) -> dict[str, object]:
        """Refuse what cannot be followed, in sentences; show what a trial gives."""
        given = super().clean() or {}
        if self.errors:
            return given
        try:
            profile = profiles.check(given["name"], given["matches"], given["rules"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
        if given.get("sample"):
            raise forms.ValidationError(_trial_in_words(profile, str(given["sample"]).strip()))
        return given


def _trial_in_words(profile: profiles.Profile, name: str) -> list[str]:
    row = Observation.objects.filter(Q(original_name=name) | Q(pk=as_key(name))).order_by("-created_at").first()
    if row is None:
        return [f"There is no frame {name}."]
    try:
        trial = profiles.tried_on_row(profile, row)
    except FileNotFoundError:
        return [f"The raw file of {name} is gone."]
    except profiles.FitsRefused as refusal:
        return [f"{name} cannot be read: {refusal}"]
    if not trial.fits:
        return [f"Not kept yet. The patterns do not fit {name}: the profile would change nothing there."]
    lines = [f"{one.fact}: {one.before or 'nothing'} → {one.after or 'nothing'}" for one in trial.changes]
    return [f"Not kept yet. On {name} it would change this:", *(lines or ["nothing"])]


@admin.register(InstrumentProfile)
class InstrumentProfileAdmin(RecordAdmin):
    form = ProfileForm
    list_display = ("name", "matches", "rules", "is_active", "precedence", "rules_revision", "frames")
    list_filter = (("is_active", YesNoFilter),)
    search_fields = ("name", "description")
    ordering = ("-precedence", "name")
    fields = ("name", "description", ("is_active", "precedence"), "matches", "rules", "sample", "meanings")
    readonly_fields = ("meanings",)

    @display(description="rules there are")
    def meanings(self, row: InstrumentProfile) -> SafeString:
        lines = format_html_join("", "<dt><code>{}</code></dt><dd>{}</dd>", profiles.RULES.items())
        return format_html("<dl>{}</dl>", lines)

    @display(description="frames")
    def frames(self, row: InstrumentProfile) -> SafeString:
        return list_link("observations.observation", "frames", profile__id__exact=row.pk)

    def save_model(self, request: HttpRequest, obj: InstrumentProfile, form: ProfileForm, change: bool) -> None:
        """Keep it through the service, which writes the AuditLog and has its frames read again."""
        count = profiles.save_profile(obj, actor_of(request))
        messages.info(request, f"{count} frames will be read again.")

    def save_related(self, request: HttpRequest, form: object, formsets: object, change: bool) -> None:
        """Leave all to the service."""

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        if isinstance(obj, InstrumentProfile):
            profiles.forget_profile(obj, actor_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> None:
        for row in queryset:
            self.delete_model(request, row)
