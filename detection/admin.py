"""Models, scores, detections and sources, in the admin."""

from __future__ import annotations

from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateFilter, RangeDateTimeFilter, RangeNumericFilter, RelatedDropdownFilter
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
from detection.cutouts import pictures
from detection.models import (
    Calibration,
    CandidateScore,
    ContextArea,
    ContextSource,
    DataSet,
    Detection,
    ForcedPhotometry,
    KnownObject,
    KnownObjectSearch,
    Model,
    ModelRun,
    OrbitSet,
    Source,
)
from detection.registry import weights
from differencing.admin import cutouts_image
from observations.admin import SEARCHES_SKY, SkyAdmin, frame_link, position

SNR = number("candidate__snr", 1, "S/N", is_signed=True)


@admin.register(DataSet)
class DataSetAdmin(ProductAdmin):
    list_display = ("__str__", "example_count", "real_count", "is_golden", "made_at", "code_version")
    list_filter = (("is_golden", YesNoFilter), ("made_at", RangeDateTimeFilter))
    search_fields = ("name", "version", "sha256__startswith")
    search_help_text = "Name, version, ID or sha256"
    fields = (
        ("name", "version"), ("example_count", "real_count"), "is_golden", "manifest",
        ("path", "sha256"), "code_version", ("made_at", "created_at", "updated_at"), "id",
    )  # fmt: skip


@admin.register(Model)
class ModelAdmin(ProductAdmin):
    list_display = (
        "__str__", "model_type", "is_active", number("precision", 3), number("recall", 3), number("f1_score", 3, "F1"),
        "deployment_date", "short_digest",
    )  # fmt: skip
    list_filter = (("model_type", DropdownFilter), ("is_active", YesNoFilter))
    search_fields = ("name", "version", "weights_sha256__startswith")
    search_help_text = "Name, version, ID or sha256"
    actions_detail = ("activate",)
    readonly_fields = ("related",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "version"), "related", ("model_type", "is_active", "is_shadow"), "architecture",
                    "deployment_date",
                    ("precision", "recall"), ("f1_score", "accuracy"),
                )
            },
        ),
        (
            "Training",
            {
                "fields": (
                    ("training_dataset", "data_set"), "hyperparameters", "training_metrics", "mlflow_run_id",
                )
            },
        ),
        ("Record", {"fields": ("model_path", "weights_sha256", ("created_at", "updated_at"), "id")}),
    )  # fmt: skip

    @display(description="sha256 of the weights")
    def short_digest(self, row: Model) -> SafeString:
        return format_html('<span class="digest" title="{}">{}</span>', row.weights_sha256, row.weights_sha256[:12])

    @display(description="related")
    def related(self, row: Model) -> SafeString:
        return related_links(
            [
                list_link("detection.modelrun", "runs", model__id__exact=row.pk),
                list_link("detection.candidatescore", "scores", model__id__exact=row.pk),
            ]
        )

    def has_activate_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm(roles.MAY_ACTIVATE_MODELS)

    @action(
        description="Activate",
        permissions=["activate"],
        icon="play_arrow",
        dialog=ask(
            "Let this model score the candidates?",
            "From the next frame on, in place of the active model of its type. Its weights are checked first.",
            "Activate",
        ),
    )
    def activate(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        return self.do_one(request, object_id, weights.activate, "Models activated", weights.ModelRefused)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[UnfoldAction]:
        """Offer nothing for the one that is active."""
        is_active = Model.objects.filter(pk=object_id, is_active=True).exists()
        return [] if is_active else super().get_actions_detail(request, object_id)


@admin.register(Calibration)
class CalibrationAdmin(ProductAdmin):
    list_display = (
        "__str__", "created_at", "real_count", "bogus_count", "night_count", number("calibration_error", 3),
        "asked_by", number("asked_rate", 4), number("withheld_rate", 4),
    )  # fmt: skip
    list_select_related = ("model",)
    list_filter = (("model", RelatedDropdownFilter), ("created_at", RangeDateTimeFilter))
    search_fields = ("weights_sha256__startswith",)
    search_help_text = "ID or sha256 of the weights"
    fields = (
        ("model", "version"), ("real_count", "bogus_count", "drawn_count"), ("stands_for", "night_count"),
        ("first_night", "last_night"), ("map_name", "calibration_error", "calibration_error_raw"),
        ("asked_by", "asked_rate"), ("withheld_rate", "withheld_rate_low", "withheld_rate_high"),
        ("automatic_score", "automatic_snr"), ("automatic_objects", "automatic_false", "automatic_nights"),
        "automatic_false_high", "weights_sha256", "answers_sha256", "created_at", "id",
    )  # fmt: skip


@admin.register(ModelRun)
class ModelRunAdmin(ProductAdmin):
    list_display = (
        "created_at", frame_link(), related("model"), state(), reason, "total_predictions",
        "high_confidence_predictions", number("inference_time_ms", 0, "ms"), number("memory_usage_mb", 0, "MB"),
    )  # fmt: skip
    list_select_related = ("model", "observation")
    list_filter = (
        ("status", DropdownFilter),
        ("failure_code", DropdownFilter),
        ("model", RelatedDropdownFilter),
        ("created_at", RangeDateTimeFilter),
    )
    search_fields = ("observation__observation_id", "observation__original_name", "error_message")
    search_help_text = "Frame, ID, or words in the reason"
    readonly_fields = ("related",)
    fields = (
        ("observation", "model"), "related", ("status", "failure_code"), "error_message",
        ("total_predictions", "high_confidence_predictions"), ("is_shadow", "threshold", "calibration"),
        ("inference_time_ms", "memory_usage_mb"),
        ("started_at", "completed_at"), "input_image_path", "config_hash", ("created_at", "updated_at"), "id",
    )  # fmt: skip

    @display(description="related")
    def related(self, row: ModelRun) -> SafeString:
        return related_links(
            [
                list_link("detection.candidatescore", "scores", model_run__id__exact=row.pk),
                list_link("detection.detection", "detections", model_run__id__exact=row.pk),
                list_link("catalog.processingjob", "jobs", entity_type="observation", entity_id=row.observation_id),
            ]
        )


@admin.register(CandidateScore)
class CandidateScoreAdmin(ProductAdmin):
    list_display = (number("score", 3), related("candidate"), related("model"), "created_at")
    list_select_related = ("candidate", "model")
    list_filter = (("model", RelatedDropdownFilter), ("score", RangeNumericFilter))
    search_fields = ("weights_sha256__startswith",)
    search_help_text = "ID or sha256 of the weights"
    fields = ("score", ("candidate", "model"), "model_run", "weights_sha256", ("created_at", "updated_at"), "id")


@admin.register(Source)
class SourceAdmin(SkyAdmin):
    list_display = (
        "__str__", position, number("position_error_arcsec", 2, "error ″"), "detection_count", "first_detected_at",
        "last_detected_at", "wcs_quality",
    )  # fmt: skip
    list_filter = (
        ("wcs_quality", DropdownFilter),
        ("detection_count", RangeNumericFilter),
        ("last_detected_at", RangeDateTimeFilter),
    )
    search_fields = ("name",)
    search_help_text = f"Name, ID {SEARCHES_SKY}"
    readonly_fields = (position, "related")
    fields = (
        "name", position, "related", ("ra", "dec", "position_error_arcsec"), ("detection_count", "wcs_quality"),
        ("first_detected_at", "last_detected_at"), ("created_at", "updated_at"), "id",
    )  # fmt: skip

    @display(description="related")
    def related(self, row: Source) -> SafeString:
        return related_links(
            [
                list_link("detection.detection", "detections", source__id__exact=row.pk),
                list_link("detection.forcedphotometry", "forced photometry", source__id__exact=row.pk),
                list_link("curation.alert", "alerts", detection__source__id__exact=row.pk),
                list_link("catalog.processingjob", "jobs", entity_type="source", entity_id=row.pk),
            ]
        )


@admin.register(ForcedPhotometry)
class ForcedPhotometryAdmin(ProductAdmin):
    list_display = (
        "__str__", related("source"), related("tracklet"), frame_link(), related("reference"),
        number("limiting_flux", 0, "limit, ADU"), number("limiting_mag", 2, "limit, mag"), "updated_at",
    )  # fmt: skip
    list_select_related = ("source", "tracklet", "observation", "reference")
    list_filter = (("reason", DropdownFilter), ("updated_at", RangeDateTimeFilter))
    search_fields = ("source__name", "observation__observation_id", "observation__original_name")
    search_help_text = "Source, frame or ID"
    fields = (
        ("source", "tracklet"), ("observation", "difference_run", "reference"), ("flux", "flux_error"), "limiting_flux",
        ("total_flux", "total_flux_error"), "reason", ("ra", "dec", "position_error_arcsec"),
        ("mjd_utc", "bjd_tdb", "is_geocentric"), ("zero_point_mag", "zero_point_error", "zero_point_system"),
        ("created_at", "updated_at"), "id",
    )  # fmt: skip


@admin.register(OrbitSet)
class OrbitSetAdmin(ProductAdmin):
    list_display = ("name", "orbit_count", "orbits_at", "is_complete", "refused_count", "file_name", "updated_at")
    list_filter = (("is_complete", YesNoFilter), ("orbits_at", RangeDateTimeFilter))
    search_fields = ("name", "file_name", "sha256__startswith")
    search_help_text = "Name, file, ID or sha256"
    fields = (
        ("name", "is_complete"), ("orbit_count", "orbits_at"), ("entries_read", "refused_count"), "first_refusal",
        ("file_name", "sha256"), ("created_at", "updated_at"), "id",
    )  # fmt: skip


@admin.register(KnownObjectSearch)
class KnownObjectSearchAdmin(ProductAdmin):
    list_display = (frame_link(), "outcome", "orbit_count", "vague_count", "orbits_at", "is_geocentric", "searched_at")
    list_select_related = ("observation",)
    list_filter = (("outcome", DropdownFilter), ("is_geocentric", YesNoFilter), ("searched_at", RangeDateTimeFilter))
    search_fields = ("observation__observation_id", "observation__original_name")
    search_help_text = "Frame or ID"
    fields = (
        ("observation", "outcome"), ("ra", "dec", "radius_deg"), ("mjd_utc", "is_geocentric"),
        ("orbit_count", "vague_count", "orbits_at"), "searched_at", ("created_at", "updated_at"), "id",
    )  # fmt: skip


@admin.register(KnownObject)
class KnownObjectAdmin(SkyAdmin):
    list_display = (
        "designation", position, number("predicted_mag", 1, "V"), number("rate_arcsec_per_min", 2, "″/min"),
        number("along_error_arcsec", 1, "error ″"), frame_link(),
    )  # fmt: skip
    list_select_related = ("observation",)
    list_filter = (("is_comet", YesNoFilter), ("predicted_mag", RangeNumericFilter))
    search_fields = ("designation", "observation__observation_id", "observation__original_name")
    search_help_text = f"Designation, frame, ID {SEARCHES_SKY}"
    readonly_fields = (position,)
    fields = (
        ("designation", "is_comet"), "observation", position, ("ra", "dec", "predicted_mag"),
        ("rate_arcsec_per_min", "position_angle_deg"),
        ("along_error_arcsec", "across_error_arcsec", "error_angle_deg"), ("distance_au", "sun_distance_au"),
        ("epoch_mjd", "uncertainty_parameter"), ("created_at", "updated_at"), "id",
    )  # fmt: skip


@admin.register(ContextArea)
class ContextAreaAdmin(ProductAdmin):
    list_display = (
        "catalogue", "kind", number("ra", 4, "RA deg"), number("dec", 4, "Dec deg"),
        number("radius_deg", 2, "radius deg"), "source_count", "is_complete", "loaded_at",
    )  # fmt: skip
    list_filter = (("kind", DropdownFilter), ("is_complete", YesNoFilter), ("loaded_at", RangeDateTimeFilter))
    search_fields = ("catalogue", "origin")
    search_help_text = "Catalogue, file or service"
    fields = (
        ("catalogue", "kind"), "origin", ("ra", "dec", "radius_deg"), ("is_complete", "source_count", "epoch_year"),
        "fastest_mas_per_year", "columns", "sha256", ("loaded_at", "created_at", "updated_at"), "id",
    )  # fmt: skip


@admin.register(ContextSource)
class ContextSourceAdmin(SkyAdmin):
    list_display = ("__str__", position, number("mag", 1), "type_name", related("area"))
    list_select_related = ("area",)
    list_filter = (("area__kind", DropdownFilter), ("mag", RangeNumericFilter))
    search_fields = ("name",)
    search_help_text = f"Name, ID {SEARCHES_SKY}"
    readonly_fields = (position,)
    fields = (
        ("name", "type_name"), "area", position, ("ra", "dec"), ("mag", "band", "redshift"),
        ("parallax_mas", "pm_ra_mas_per_year", "pm_dec_mas_per_year"), ("semi_major_arcsec", "axis_ratio", "angle_deg"),
        ("created_at", "updated_at"), "id",
    )  # fmt: skip


@admin.register(Detection)
class DetectionAdmin(SkyAdmin):
    list_display = (
        "thumbnail", position, number("confidence_score", 3, "score"), SNR, "detection_type", state(),
        related("source"), frame_link(),
    )  # fmt: skip
    list_select_related = ("observation", "source", "candidate")
    list_filter = (
        ("status", DropdownFilter),
        ("detection_type", DropdownFilter),
        ("confidence_score", RangeNumericFilter),
        ("model_run__model", RelatedDropdownFilter),
        ("origin", DropdownFilter),
        ("observation__filter_band", ExactTextFilter),
        ("observation__night", RangeDateFilter),
    )
    search_fields = ("observation__observation_id", "observation__original_name", "source__name", "human_label")
    search_help_text = f"Frame, source, label, ID {SEARCHES_SKY}"
    readonly_fields = ("cutouts", position, "related", SNR)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "cutouts", (position, "status"), "related", ("detection_type", "human_label"),
                    ("confidence_score", "model_version"), SNR,
                    ("is_validated", "validation_confidence"), ("pixel_x", "pixel_y"), ("ra", "dec"),
                )
            },
        ),
        (
            "Record",
            {
                "fields": (
                    ("observation", "source"), ("candidate", "model_run"), "origin", "prediction_metadata",
                    "inference_time_ms", "cutouts_path", ("created_at", "updated_at"), "id",
                )
            },
        ),
    )  # fmt: skip

    def get_urls(self) -> list[object]:
        view = self.admin_site.admin_view(self.cutouts_view)
        own = path("cutouts/<uuid:observation_id>/<uuid:candidate_id>.png", view, name="detection_cutouts")
        return [own, *super().get_urls()]

    def cutouts_view(self, request: HttpRequest, observation_id: UUID, candidate_id: UUID) -> HttpResponse:
        """Answer with the three cutouts of one candidate as a picture."""
        if not request.user.has_perm("differencing.view_candidate"):
            raise PermissionDenied
        content = pictures.picture(pictures.path_of(observation_id, candidate_id), is_small="small" in request.GET)
        if content is None:
            raise Http404("This candidate has no cutouts.")
        # A repeated run may write others under the same name.
        return HttpResponse(content, content_type="image/png", headers={"Cache-Control": "private, max-age=60"})

    @display(description="cutouts")
    def thumbnail(self, row: Detection) -> str | SafeString:
        return EMPTY if row.candidate is None else cutouts_image(row.candidate, is_small=True)

    @display(description="science, reference, difference")
    def cutouts(self, row: Detection) -> str | SafeString:
        return EMPTY if row.candidate is None else cutouts_image(row.candidate)

    @display(description="related")
    def related(self, row: Detection) -> SafeString:
        of_it = {"detection__id__exact": row.pk}
        links = [
            list_link("curation.validationevent", "judgements", **of_it),
            list_link("curation.alert", "alerts", **of_it),
            list_link("detection.detection", "all in this frame", observation__id__exact=row.observation_id),
        ]
        if row.source_id is not None:
            links.append(list_link("detection.detection", "all of this source", source__id__exact=row.source_id))
        return related_links(links)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Detection]:
        """Return what was found; the page of one row may be that of an injected source, which its known item names."""
        match = request.resolver_match
        is_one = match is not None and "object_id" in match.kwargs
        return Detection.with_injected.visible_to(request.user) if is_one else super().get_queryset(request)
