"""Calibration and measurement, in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateFilter, RangeDateTimeFilter
from unfold.decorators import display

from catalog.admin import (
    DropdownFilter,
    ExactTextFilter,
    ProductAdmin,
    YesNoFilter,
    list_link,
    number,
    reason,
    related_links,
    state,
)
from observations.admin import frame_link
from preprocessing.models import CalibrationMaster, PreprocessRun, StarCatalogField


@admin.register(CalibrationMaster)
class CalibrationMasterAdmin(ProductAdmin):
    list_display = (
        "night", "kind", "camera", "binning", "filter_band", number("exposure_time", 1, "seconds"), "frame_count",
        number("level", 1), number("noise", 2),
    )  # fmt: skip
    list_filter = (
        ("kind", DropdownFilter),
        ("night", RangeDateFilter),
        ("camera", ExactTextFilter),
        ("filter_band", ExactTextFilter),
    )
    search_fields = ("camera", "inputs_hash__startswith")
    search_help_text = "Camera or ID"
    readonly_fields = ("related",)
    fields = (
        "related", ("kind", "night"), ("camera", "telescope"), ("binning", "filter_band"),
        ("exposure_time", "ccd_temperature_c"), ("gain", "readout_mode"), ("image_width", "image_height"),
        ("frame_count", "level", "noise"), "file_path", "inputs_hash", ("created_at", "updated_at"), "id",
    )  # fmt: skip

    @display(description="made of")
    def related(self, row: CalibrationMaster) -> SafeString:
        return related_links(
            [
                list_link("observations.calibrationframe", "calibration frames", masters__id__exact=row.pk),
                list_link("observations.observation", "lights", sky_flats__id__exact=row.pk),
                list_link("catalog.processingjob", "jobs of its night", entity_type="night", entity_id=row.night),
            ]
        )


@admin.register(PreprocessRun)
class PreprocessRunAdmin(ProductAdmin):
    list_display = (
        "created_at", frame_link(), state(), reason, number("fwhm_px", 2, "FWHM px"),
        number("ellipticity", 2), number("background_noise", 2, "noise"), number("masked_share", 3, "masked"),
        "star_count", number("processing_time_seconds", 1, "seconds"),
    )  # fmt: skip
    list_select_related = ("observation",)
    list_filter = (
        ("status", DropdownFilter),
        ("failure_code", DropdownFilter),
        ("calibration_applied", YesNoFilter),
        ("wcs_aligned", YesNoFilter),
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
                    "observation", "related", ("status", "failure_code"), "error_message",
                    ("started_at", "completed_at"), ("processing_time_seconds", "retry_count"),
                )
            },
        ),
        (
            "Measured",
            {
                "fields": (
                    ("background_level", "background_noise"), ("fwhm_px", "ellipticity", "psf_core_residual"),
                    ("star_count", "masked_share"), ("limiting_magnitude", "transparency"),
                    ("zero_point_mag", "zero_point_error"),
                    ("zero_point_catalogue", "zero_point_band", "zero_point_system"),
                    ("zero_point_scatter", "zero_point_stars"), ("colour_term", "colour_term_error"),
                    ("zero_point_colour", "zero_point_colour_mag", "no_colour_term"),
                )
            },
        ),
        (
            "World coordinates and calibration",
            {
                "fields": (
                    ("wcs_aligned", "registration_quality"), "wcs_info", ("calibration_applied",), "masters",
                )
            },
        ),
        (
            "Record",
            {"fields": ("processed_fits_path", "inputs_hash", "config_hash", ("created_at", "updated_at"), "id")},
        ),
    )  # fmt: skip

    @display(description="related")
    def related(self, row: PreprocessRun) -> SafeString:
        key = row.observation_id
        return related_links(
            [
                list_link("differencing.differencerun", "difference runs", observation__id__exact=key),
                list_link("detection.detection", "detections", observation__id__exact=key),
                list_link("catalog.processingjob", "jobs", entity_type="observation", entity_id=key),
            ]
        )


@admin.register(StarCatalogField)
class StarCatalogFieldAdmin(ProductAdmin):
    list_display = (
        "fetched_at", "name", number("ra", 4, "RA deg"), number("dec", 4, "Dec deg"),
        number("radius_deg", 2, "radius deg"), "star_count", number("faintest_mag", 1, "to mag"),
    )  # fmt: skip
    list_filter = (("fetched_at", RangeDateTimeFilter), ("name", ExactTextFilter))
    search_fields = ("name", "service")
    search_help_text = "Catalogue or service"
    fields = (
        "name", "service", ("ra", "dec", "radius_deg"), ("star_count", "faintest_mag", "epoch_year"), "bands", "sha256",
        ("fetched_at", "created_at", "updated_at"), "id",
    )  # fmt: skip
