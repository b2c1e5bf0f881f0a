"""Data sets, models, their runs and scores, in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter, RangeNumericFilter, RelatedDropdownFilter
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action, display

from catalog import roles
from catalog.admin import (
    DropdownFilter,
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
from detection.models import (
    Calibration,
    CandidateScore,
    DataSet,
    Model,
    ModelRun,
)
from detection.registry import weights
from observations.admin import frame_link


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
