"""References, subtractions and candidates, in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateFilter, RangeDateTimeFilter, RangeNumericFilter
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action, display

from catalog import roles
from catalog.admin import (
    EMPTY,
    DropdownFilter,
    ExactTextFilter,
    ProductAdmin,
    YesNoFilter,
    ask,
    list_link,
    number,
    reason,
    related,
    related_links,
    state,
)
from catalog.failures import NotPossible
from differencing import references
from differencing.flags import FLAGS
from differencing.models import Candidate, DifferenceRun, Mover, Reference, Tracklet
from observations.admin import SEARCHES_SKY, SkyAdmin, frame_link, position


def cutouts_image(candidate: Candidate, *, is_small: bool = False) -> SafeString:
    """Return the pixels that the detection stage keeps of a candidate, loaded when they come into view."""
    url = reverse("admin:detection_cutouts", args=[candidate.observation_id, candidate.pk])
    text = '<img class="cutouts" src="{}{}" alt="Science, reference, difference" loading="lazy" height="{}">'
    return format_html(text, url, "?small" if is_small else "", 82 if is_small else 189)


@admin.register(Reference)
class ReferenceAdmin(ProductAdmin):
    list_display = (
        "__str__", related("field"), "filter_band", "version", "is_active", "excluded_night",
        number("depth_mag", 2, "depth, mag"), number("deeper_by_mag", 2, "could gain, mag"), "frame_count",
        "epochs", number("fwhm_px", 2, "FWHM px"), frame_link("best_member", "best member"), "created_at",
    )  # fmt: skip
    list_select_related = ("field", "best_member")
    list_filter = (
        ("is_active", YesNoFilter),
        ("origin", DropdownFilter),
        ("filter_band", ExactTextFilter),
        ("deeper_by_mag", RangeNumericFilter),
        ("excluded_night", RangeDateFilter),
    )
    search_fields = ("field__name", "inputs_hash__startswith")
    search_help_text = "Field or ID"
    actions_detail = ("promote", "withdraw", "make_new")
    readonly_fields = ("related", "epochs", "better")
    fields = (
        "field", "related", ("filter_band", "version"), ("is_active", "is_automatic"), "better", "excluded_night",
        ("best_member", "frame_count"), "epochs", ("depth_mag", "fwhm_px"), ("origin", "survey_name"),
        ("original_name", "delivered_band"), "file_path", "inputs_hash", ("created_at", "updated_at"), "id",
    )  # fmt: skip

    @display(description="nights")
    def epochs(self, row: Reference) -> str:
        """The dates, UTC, of its first and last exposure."""
        if row.first_mjd_utc is None or row.last_mjd_utc is None:
            return EMPTY
        first, last = (references.date_of(mjd).isoformat() for mjd in (row.first_mjd_utc, row.last_mjd_utc))
        return first if first == last else f"{first} – {last}"

    @display(description="a better one")
    def better(self, row: Reference) -> str:
        if row.deeper_by_mag is None:
            return EMPTY
        return f"The frames that are there now would make a reference {row.deeper_by_mag:.2f} mag deeper."

    @display(description="related")
    def related(self, row: Reference) -> SafeString:
        return related_links(
            [
                list_link("observations.observation", "its frames", references__id__exact=row.pk),
                list_link("differencing.differencerun", "differences using it", reference__id__exact=row.pk),
            ]
        )

    def has_promote_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm(roles.MAY_PROMOTE_REFERENCES)

    @action(
        description="Promote",
        permissions=["promote"],
        icon="vertical_align_top",
        dialog=ask(
            "Compare frames of this field and band with this reference?",
            "From the next frame on, unless the frame's own night is in it. What was compared with another version is "
            "compared again, when nothing else is to be done.",
            "Promote",
        ),
    )
    def promote(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        return self.do_one(request, object_id, references.promote_reference, "References promoted", NotPossible)

    @action(
        description="Withdraw",
        permissions=["promote"],
        icon="vertical_align_bottom",
        dialog=ask("Let the rules choose the reference again?", "From the next frame on.", "Withdraw"),
    )
    def withdraw(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        done = "References withdrawn"
        return self.do_one(request, object_id, references.withdraw_reference, done, NotPossible)

    @action(
        description="Make a new one",
        permissions=["promote"],
        icon="library_add",
        dialog=ask(
            "Make a new reference of the frames that are there now?",
            "It becomes a new version, which is used once it has been promoted.",
            "Make",
        ),
    )
    def make_new(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        return self.do_one(request, object_id, references.order_new_reference, "New references ordered", NotPossible)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[UnfoldAction]:
        """Offer what turns the present state round, and a new version."""
        fitting = "withdraw" if Reference.objects.filter(pk=object_id, is_active=True).exists() else "promote"
        offered = (fitting, "make_new")
        return [
            entry for entry in super().get_actions_detail(request, object_id) if entry.action_name.endswith(offered)
        ]


@admin.register(DifferenceRun)
class DifferenceRunAdmin(ProductAdmin):
    list_display = (
        "created_at", frame_link(), frame_link("reference_observation", "against"), state(),
        reason, "candidates_found", number("detection_threshold", 1, "threshold σ"),
        number("noise_rescale", 3, "noise rescale"), number("registration_rms_px", 3, "rms px"),
        number("processing_time_seconds", 1, "seconds"),
    )  # fmt: skip
    list_select_related = ("observation", "reference_observation")
    list_filter = (
        ("status", DropdownFilter),
        ("failure_code", DropdownFilter),
        ("algorithm", ExactTextFilter),
        ("observation__filter_band", ExactTextFilter),
        ("created_at", RangeDateTimeFilter),
    )
    search_fields = ("observation__observation_id", "observation__original_name", "error_message")
    search_help_text = "Frame, ID, or words in the reason"
    readonly_fields = ("related",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "observation", "related", ("reference_observation", "reference"), ("status", "failure_code"),
                    "error_message", ("started_at", "completed_at"), ("processing_time_seconds", "retry_count"),
                )
            },
        ),
        (
            "Found",
            {
                "fields": (
                    ("candidates_found", "detection_threshold"), ("noise_level", "noise_rescale"),
                    ("matched_stars", "registration_rms_px"),
                )
            },
        ),
        ("Parameters", {"fields": ("algorithm", "parameters", "doubts")}),
        (
            "Record",
            {
                "fields": (
                    "difference_image_path", "significance_map_path", "reference_aligned_path", "parameters_hash",
                    "inputs_hash", "config_hash", ("created_at", "updated_at"), "id",
                )
            },
        ),
    )  # fmt: skip

    @display(description="related")
    def related(self, row: DifferenceRun) -> SafeString:
        key = row.observation_id
        return related_links(
            [
                list_link("differencing.candidate", "candidates", difference_run__id__exact=row.pk),
                list_link("detection.modelrun", "model runs", observation__id__exact=key),
                list_link("detection.detection", "detections", observation__id__exact=key),
                list_link("catalog.processingjob", "jobs", entity_type="observation", entity_id=key),
            ]
        )


@admin.register(Candidate)
class CandidateAdmin(SkyAdmin):
    list_display = (
        "thumbnail", position, number("significance", 1, is_signed=True), number("snr", 1, "S/N", is_signed=True),
        number("fwhm", 1, "FWHM px"), "flag_words", state(), frame_link(),
    )  # fmt: skip
    list_select_related = ("observation",)
    list_filter = (
        ("status", DropdownFilter),
        ("snr", RangeNumericFilter),
        *((f"is_{flag.name}", YesNoFilter) for flag in FLAGS),
        ("observation__filter_band", ExactTextFilter),
        ("observation__night", RangeDateFilter),
    )
    search_fields = ("observation__observation_id", "observation__original_name")
    search_help_text = f"Frame, ID {SEARCHES_SKY}"
    readonly_fields = ("cutouts", position, "flag_words", "veto_sentences", "related")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "cutouts", (position, "status"), "flag_words", "veto_sentences", "related", ("significance", "snr"),
                    ("flux", "flux_error"), ("fwhm", "ellipticity"), ("position_angle", "masked_share"),
                    ("trail_length_arcsec", "trail_length_error_arcsec"), ("trail_angle", "trail_angle_error"),
                    ("trail_flux", "trail_flux_error"), "trail_chi2_gain",
                    ("pixel_x", "pixel_y"), "position_error_px", ("ra", "dec"),
                )
            },
        ),
        ("Record", {"fields": (("observation", "difference_run"), ("created_at", "updated_at"), "id")}),
    )  # fmt: skip

    @display(description="cutouts")
    def thumbnail(self, row: Candidate) -> SafeString:
        return cutouts_image(row, is_small=True)

    @display(description="science, reference, difference")
    def cutouts(self, row: Candidate) -> SafeString:
        return cutouts_image(row)

    @display(description="flags")
    def flag_words(self, row: Candidate) -> str:
        return ", ".join(flag.word for flag in row.flags) or EMPTY

    @display(description="vetoes")
    def veto_sentences(self, row: Candidate) -> str:
        return " ".join(veto["message"] for veto in row.vetoes) or EMPTY

    @display(description="related")
    def related(self, row: Candidate) -> SafeString:
        of_it = {"candidate__id__exact": row.pk}
        return related_links(
            [
                list_link("detection.candidatescore", "scores", **of_it),
                list_link("detection.detection", "detections", **of_it),
                list_link("differencing.tracklet", "tracklets", members__id__exact=row.pk),
            ]
        )


@admin.register(Tracklet)
class TrackletAdmin(ProductAdmin):
    list_display = (
        "night", related("field"), "kind", number("rate_arcsec_per_min", 3, "″/min"),
        number("position_angle", 1, "angle °"), number("rms_arcsec", 2, "rms ″"), number("chance_rate", 3, "chance"),
        number("stack_score", 1, "stack σ"),
        "is_doubtful", related("mover", "other nights"), "members_link",
    )  # fmt: skip
    list_select_related = ("field", "mover")
    list_filter = (("night", RangeDateFilter), ("rate_arcsec_per_min", RangeNumericFilter), "kind", "is_doubtful")
    search_fields = ("field__name",)
    search_help_text = "Field or ID"
    readonly_fields = ("members_link",)
    fields = (
        "field", "members_link", "night", ("rate_arcsec_per_min", "position_angle"),
        ("rms_arcsec", "trail_ratio"), ("chance_rate", "is_doubtful"), ("kind", "stack_score"), "mover", "positions",
        ("created_at", "updated_at"), "id",
    )  # fmt: skip

    @display(description="members")
    def members_link(self, row: Tracklet) -> SafeString:
        return list_link("differencing.candidate", "candidates", tracklets__id__exact=row.pk)


@admin.register(Mover)
class MoverAdmin(ProductAdmin):
    list_display = (
        "__str__", "nights", number("rms_arcsec", 2, "rms ″"), number("chance_rate", 6, "chance"), "tracklets_link",
        "created_at",
    )  # fmt: skip
    list_filter = (("chance_rate", RangeNumericFilter),)
    readonly_fields = ("nights", "tracklets_link")
    fields = ("nights", "tracklets_link", ("rms_arcsec", "chance_rate"), ("created_at", "updated_at"), "id")

    @display(description="nights")
    def nights(self, row: Mover) -> str:
        return ", ".join(f"{night}" for night in row.tracklets.order_by("night").values_list("night", flat=True))

    @display(description="tracklets")
    def tracklets_link(self, row: Mover) -> SafeString:
        return list_link("differencing.tracklet", "tracklets", mover__id__exact=row.pk)
