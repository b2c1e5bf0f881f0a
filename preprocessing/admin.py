"""Calibration and measurement, in the admin."""

from __future__ import annotations

from django.contrib import admin

from catalog.admin import ProductAdmin
from preprocessing.models import CalibrationMaster, PreprocessRun


@admin.register(CalibrationMaster)
class CalibrationMasterAdmin(ProductAdmin):
    list_display = ("kind", "camera", "filter_band", "exposure_time", "frame_count", "night")
    list_filter = ("kind", "camera", "filter_band")
    search_fields = ("camera", "inputs_hash")


@admin.register(PreprocessRun)
class PreprocessRunAdmin(ProductAdmin):
    list_display = ("observation", "status", "failure_code", "fwhm_px", "masked_share", "star_count", "created_at")
    list_select_related = ("observation",)
    list_filter = ("status", "failure_code", "calibration_applied")
    search_fields = ("observation__observation_id", "error_message")
