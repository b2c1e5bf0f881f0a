"""What the telescopes delivered, in the admin."""

from __future__ import annotations

from django.contrib import admin

from catalog.admin import ProductAdmin, RecordAdmin
from observations.models import CalibrationFrame, Field, IncomingFile, Observation, Survey, Telescope


@admin.register(Survey)
class SurveyAdmin(RecordAdmin):
    list_display = ("name", "base_url", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "description")


@admin.register(Telescope)
class TelescopeAdmin(RecordAdmin):
    list_display = ("name", "latitude_deg", "longitude_deg", "height_m", "mpc_code")
    search_fields = ("name", "mpc_code")


@admin.register(Field)
class FieldAdmin(ProductAdmin):
    list_display = ("name", "ra", "dec", "radius_deg", "anchor")
    list_select_related = ("anchor",)
    search_fields = ("name",)


@admin.register(Observation)
class ObservationAdmin(ProductAdmin):
    list_display = ("observation_id", "object_name", "filter_band", "observation_time", "status", "failure_code")
    list_filter = ("status", "failure_code", "filter_band", "survey")
    search_fields = ("observation_id", "object_name", "original_name", "sha256")
    date_hierarchy = "observation_time"


@admin.register(CalibrationFrame)
class CalibrationFrameAdmin(ProductAdmin):
    list_display = ("original_name", "kind", "camera", "filter_band", "exposure_time", "night")
    list_filter = ("kind", "camera", "filter_band")
    search_fields = ("original_name", "sha256")


@admin.register(IncomingFile)
class IncomingFileAdmin(ProductAdmin):
    list_display = ("name", "route", "address", "received_bytes", "size_bytes", "created_at")
    list_filter = ("route",)
    search_fields = ("name", "address")
