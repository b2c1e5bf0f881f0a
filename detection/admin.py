"""Models, scores, detections and sources, in the admin."""

from __future__ import annotations

from django.contrib import admin

from catalog.admin import ProductAdmin
from detection.models import CandidateScore, Detection, Model, ModelRun, Source


@admin.register(Model)
class ModelAdmin(ProductAdmin):
    list_display = ("name", "version", "model_type", "is_active", "precision", "recall", "deployment_date")
    list_filter = ("model_type", "is_active")
    search_fields = ("name", "version", "weights_sha256")


@admin.register(ModelRun)
class ModelRunAdmin(ProductAdmin):
    list_display = ("model", "observation", "status", "failure_code", "total_predictions", "inference_time_ms")
    list_select_related = ("model", "observation")
    list_filter = ("status", "failure_code", "model")
    search_fields = ("observation__observation_id", "error_message")


@admin.register(CandidateScore)
class CandidateScoreAdmin(ProductAdmin):
    list_display = ("candidate", "model", "score", "created_at")
    list_select_related = ("candidate", "model")
    list_filter = ("model",)
    search_fields = ("weights_sha256",)


@admin.register(Source)
class SourceAdmin(ProductAdmin):
    list_display = ("name", "ra", "dec", "detection_count", "first_detected_at", "last_detected_at", "wcs_quality")
    list_filter = ("wcs_quality",)
    search_fields = ("name",)


@admin.register(Detection)
class DetectionAdmin(ProductAdmin):
    list_display = ("observation", "source", "detection_type", "confidence_score", "status", "model_version")
    list_select_related = ("observation", "source")
    list_filter = ("status", "detection_type", "origin", "model_version")
    search_fields = ("observation__observation_id", "source__name", "human_label")
