"""Detections, sources and what is known around them, in the admin; models have a file of their own."""

from __future__ import annotations

from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateFilter, RangeDateTimeFilter, RangeNumericFilter, RelatedDropdownFilter
from unfold.decorators import display

from catalog.admin import (
    EMPTY,
    DropdownFilter,
    ExactTextFilter,
    ProductAdmin,
    YesNoFilter,
    list_link,
    number,
    related,
    related_links,
    state,
)
from detection.cutouts import pictures
from detection.models import (
    ContextArea,
    ContextSource,
    Detection,
    ForcedPhotometry,
    KnownObject,
    KnownObjectSearch,
    OrbitSet,
    Source,
)
from detection.registry import admin as registry_admin
from differencing.admin import cutouts_image
from observations.admin import SEARCHES_SKY, SkyAdmin, frame_link, position

# Registered when it is imported: Django looks for this file alone.
__all__ = ["registry_admin"]

SNR = number("candidate__snr", 1, "S/N", is_signed=True)


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
