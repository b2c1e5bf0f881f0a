"""References, subtractions and candidates, in the admin."""

from __future__ import annotations

from django.contrib import admin

from catalog.admin import ProductAdmin
from differencing.models import Candidate, DifferenceRun, Reference, Tracklet


@admin.register(Reference)
class ReferenceAdmin(ProductAdmin):
    list_display = ("field", "filter_band", "version", "is_active", "excluded_night", "depth_mag", "created_at")
    list_select_related = ("field",)
    list_filter = ("is_active", "filter_band")
    search_fields = ("field__name", "inputs_hash")


@admin.register(DifferenceRun)
class DifferenceRunAdmin(ProductAdmin):
    list_display = ("observation", "reference_observation", "status", "failure_code", "candidates_found", "created_at")
    list_select_related = ("observation", "reference_observation")
    list_filter = ("status", "failure_code", "algorithm")
    search_fields = ("observation__observation_id", "error_message")


@admin.register(Candidate)
class CandidateAdmin(ProductAdmin):
    list_display = ("observation", "ra", "dec", "significance", "snr", "status", "is_negative", "is_reference_ghost")
    list_select_related = ("observation",)
    list_filter = ("status", "is_negative", "is_dipole", "is_reference_ghost", "is_saturated", "is_edge")
    search_fields = ("observation__observation_id",)


@admin.register(Tracklet)
class TrackletAdmin(ProductAdmin):
    list_display = ("field", "night", "rate_arcsec_per_min", "position_angle", "rms_arcsec")
    list_select_related = ("field",)
    list_filter = ("night",)
    search_fields = ("field__name",)
