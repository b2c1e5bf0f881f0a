"""What the telescopes delivered, in the admin."""

from __future__ import annotations

import re

from django.contrib import admin
from django.db.models import ManyToManyField, Model, QuerySet
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateFilter, RangeDateTimeFilter, RelatedDropdownFilter
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from catalog import roles
from catalog.admin import (
    EMPTY,
    MOST_COUNTED,
    Column,
    DropdownFilter,
    ExactTextFilter,
    ProductAdmin,
    RecordAdmin,
    ShownRowsFilter,
    YesNoFilter,
    ask,
    link,
    list_link,
    number,
    reason,
    related_links,
    state,
)
from catalog.failures import NotPossible
from catalog.writing import sexagesimal_dec, sexagesimal_ra
from observations.frames import actions
from observations.models import CalibrationFrame, Field, IncomingFile, Observation, ObservationStatus, Survey, Telescope
from observations.positions import parse_position
from observations.sky import SkyQuerySet, SkyRecord

SEARCHES_SKY = "or a position: RA Dec [radius in arcseconds]"
# What may be done with a frame of a status that is not "process it again, or archive it".
_USUAL = ("reprocess_frame", "archive_frame")
_FITTING: dict[ObservationStatus, tuple[str, ...]] = {
    ObservationStatus.ARCHIVED: ("take_frame_back",),
    ObservationStatus.IMPORTED: (),
}
# Long enough to be no word: the beginning of a sha256.
_DIGEST = re.compile(r"[0-9a-f]{12,64}\Z")


@display(description="RA Dec", ordering="ra")
def position(row: SkyRecord) -> SafeString:
    """Show a position as astronomers read it, the degrees behind it."""
    degrees = f"{row.ra:.6f} {row.dec:+.6f} degrees"
    written = f"{sexagesimal_ra(row.ra)} {sexagesimal_dec(row.dec)}"
    return format_html('<span class="sky-position" title="{}">{}</span>', degrees, written)


def frame_link(field: str = "observation", title: str = "frame") -> Column:
    """Return a column that links to a frame, by the name of its file."""

    @display(description=title, ordering=f"{field}__original_name")
    def shown(row: object) -> str | SafeString:
        frame = getattr(row, field)
        return EMPTY if frame is None else link(frame, frame.shown_name)

    shown.__name__ = f"{field}_link"
    return shown


class SkyAdmin(ProductAdmin):
    """Products with a position: a position among the words of a search finds what lies around it."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Model], search_term: str
    ) -> tuple[QuerySet[Model], bool]:
        place = parse_position(search_term)
        if place is not None and isinstance(queryset, SkyQuerySet):
            # The keys first: within one query the database would rather read all rows in the order of the list.
            keys = queryset.order_by().cone(*place).values_list("pk", flat=True)[:MOST_COUNTED]
            return queryset.filter(pk__in=list(keys)), False
        return super().get_search_results(request, queryset, search_term)


@admin.register(Survey)
class SurveyAdmin(RecordAdmin):
    list_display = ("name", "base_url", "is_active", "teams", "frames")
    list_filter = (("is_active", YesNoFilter), ("groups", RelatedDropdownFilter))
    search_fields = ("name", "description")
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Survey]:
        return super().get_queryset(request).prefetch_related("groups")

    def formfield_for_manytomany(
        self, db_field: ManyToManyField, request: HttpRequest, **kwargs: object
    ) -> ModelMultipleChoiceField | None:
        """Teams are few, each has its box."""
        return super().formfield_for_manytomany(
            db_field, request, **kwargs, widget=UnfoldAdminCheckboxSelectMultipleWidget()
        )

    @display(description="visible to")
    def teams(self, row: Survey) -> str:
        return ", ".join(sorted(group.name for group in row.groups.all())) or "everybody"

    @display(description="frames")
    def frames(self, row: Survey) -> SafeString:
        return list_link("observations.observation", "frames", survey__id__exact=row.pk)


@admin.register(Telescope)
class TelescopeAdmin(RecordAdmin):
    list_display = ("name", "latitude_deg", "longitude_deg", "height_m", "mpc_code", "time_zone")
    search_fields = ("name", "mpc_code")
    ordering = ("name",)


@admin.register(Field)
class FieldAdmin(SkyAdmin):
    list_display = (
        "__str__",
        position,
        number("radius_deg", 3, "radius, degrees"),
        frame_link("anchor", "anchor"),
        "created_at",
    )
    list_select_related = ("anchor",)
    search_fields = ("name",)
    search_help_text = f"Name {SEARCHES_SKY}"
    fields = ("name", position, ("ra", "dec", "radius_deg"), "anchor", "related", ("created_at", "updated_at"), "id")
    readonly_fields = (position, "related")

    @display(description="related")
    def related(self, row: Field) -> SafeString:
        return related_links(
            [
                list_link("observations.observation", "frames", field__id__exact=row.pk),
                list_link("differencing.reference", "references", field__id__exact=row.pk),
                list_link("differencing.tracklet", "tracklets", field__id__exact=row.pk),
                list_link("catalog.processingjob", "jobs", entity_type="field", entity_id=row.pk),
            ]
        )


@admin.register(Observation)
class ObservationAdmin(SkyAdmin):
    list_display = (
        "file_name", state(), reason, "object_name", "filter_band", "observation_time",
        number("exposure_time", 0, "seconds"), position, number("seeing", 1, "seeing ″"),
    )  # fmt: skip
    list_filter = (
        ("status", DropdownFilter),
        ("failure_code", DropdownFilter),
        ("night", RangeDateFilter),
        ("filter_band", ExactTextFilter),
        ("survey", ShownRowsFilter),
        ("telescope", ShownRowsFilter),
        ("wcs_quality", DropdownFilter),
    )
    search_fields = ("observation_id", "object_name", "original_name")
    search_help_text = f"File, object, ID, sha256 {SEARCHES_SKY}"
    ordering = ("-observation_time", "-id")
    actions = ("reprocess_frames", "archive_frames", "take_frames_back")
    actions_detail = ("reprocess_frame", "archive_frame", "take_frame_back")
    readonly_fields = (position, "related")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("observation_id", "original_name"), "related", ("status", "failure_code"), "error_message",
                    ("object_name", "filter_band"), ("observation_time", "exposure_time"), ("night", "mjd_utc"),
                    (position, "wcs_quality", "delivered_wcs_quality"),
                    ("field", "survey"), ("seeing", "airmass"),
                )
            },
        ),
        (
            "Camera",
            {
                "classes": ("tab",),
                "fields": (
                    ("telescope", "camera"), ("image_width", "image_height"), ("pixel_scale", "binning"),
                    ("gain_e_per_adu", "read_noise_e"), ("saturation_level", "saturation_unit"),
                    ("readout_mode", "ccd_temperature_c"), ("camera_serial", "window"),
                    ("gain_setting", "offset_setting"), ("pixel_unit", "bayer_pattern"), "calibrated",
                ),
            },
        ),
        (
            "File",
            {
                "classes": ("tab",),
                "fields": (
                    "fits_file_path", "hdu_index", "sha256", "fits_url", "footprint", ("ra", "dec"),
                    ("created_at", "updated_at"), "id",
                ),
            },
        ),
        ("Header", {"classes": ("tab",), "fields": (("profile", "read_by_version"), "facts", "given", "header")}),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Observation]:
        """A list shows no headers, which are the most of a row."""
        rows = super().get_queryset(request)
        is_list = request.resolver_match is not None and str(request.resolver_match.url_name).endswith("_changelist")
        return rows.defer("header", "facts", "footprint") if is_list else rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Model], search_term: str
    ) -> tuple[QuerySet[Model], bool]:
        """A digest finds its frame by the index; with other columns to look into, none would serve."""
        if _DIGEST.match(search_term.strip()):
            return queryset.filter(sha256__startswith=search_term.strip()), False
        return super().get_search_results(request, queryset, search_term)

    @display(description="file", ordering="original_name")
    def file_name(self, row: Observation) -> str:
        return row.shown_name

    @display(description="related")
    def related(self, row: Observation) -> SafeString:
        of_it = {"observation__id__exact": row.pk}
        return related_links(
            [
                list_link("observations.doubt", "doubts", **of_it),
                list_link("preprocessing.preprocessrun", "preprocess runs", **of_it),
                list_link("differencing.differencerun", "difference runs", **of_it),
                list_link("differencing.candidate", "candidates", **of_it),
                list_link("detection.modelrun", "model runs", **of_it),
                list_link("detection.detection", "detections", **of_it),
                list_link("catalog.processingjob", "jobs", entity_type="observation", entity_id=row.pk),
                list_link("observations.observation", "same night", night_from=row.night, night_to=row.night),
            ]
        )

    def has_order_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm(roles.MAY_ORDER_FRAMES)

    @admin.action(description="Reprocess", permissions=["order"])
    def reprocess_frames(self, request: HttpRequest, queryset: QuerySet[Observation]) -> None:
        self.do_each(request, queryset, actions.reprocess, "Frames queued for reprocessing", NotPossible)

    @admin.action(description="Archive", permissions=["order"])
    def archive_frames(self, request: HttpRequest, queryset: QuerySet[Observation]) -> None:
        self.do_each(request, queryset, actions.archive, "Frames archived", NotPossible)

    @admin.action(description="Restore from the archive", permissions=["order"])
    def take_frames_back(self, request: HttpRequest, queryset: QuerySet[Observation]) -> None:
        self.do_each(request, queryset, actions.take_back, "Frames restored", NotPossible)

    @action(
        description="Reprocess",
        permissions=["order"],
        icon="replay",
        dialog=ask(
            "Process this frame again?",
            "With the current configuration. Results that are still valid are kept, and so is every review.",
            "Reprocess",
        ),
    )
    def reprocess_frame(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        done = "Frames queued for reprocessing"
        return self.do_one(request, object_id, actions.reprocess, done, NotPossible)

    @action(
        description="Archive",
        permissions=["order"],
        icon="archive",
        variant=ActionVariant.WARNING,
        dialog=ask(
            "Archive this frame?",
            "It is no longer processed or used in references. What was made of it is kept, and it can be restored.",
            "Archive",
        ),
    )
    def archive_frame(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        return self.do_one(request, object_id, actions.archive, "Frames archived", NotPossible)

    @action(
        description="Restore",
        permissions=["order"],
        icon="unarchive",
        dialog=ask("Restore this frame from the archive?", "It returns to its previous status.", "Restore"),
    )
    def take_frame_back(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        return self.do_one(request, object_id, actions.take_back, "Frames restored", NotPossible)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[UnfoldAction]:
        """Offer only what the frame's status allows."""
        status = Observation.objects.filter(pk=object_id).values_list("status", flat=True).first()
        fitting = _FITTING.get(ObservationStatus(status), _USUAL) if status else _USUAL
        return [
            entry for entry in super().get_actions_detail(request, object_id) if entry.action_name.endswith(fitting)
        ]


@admin.register(CalibrationFrame)
class CalibrationFrameAdmin(ProductAdmin):
    list_display = (
        "__str__", "kind", "camera", "binning", "filter_band", number("exposure_time", 1, "seconds"), "night",
        number("ccd_temperature_c", 1, "°C"),
    )  # fmt: skip
    list_filter = (
        ("kind", DropdownFilter),
        ("night", RangeDateFilter),
        ("camera", ExactTextFilter),
        ("filter_band", ExactTextFilter),
    )
    search_fields = ("original_name", "camera", "sha256__startswith")
    search_help_text = "File, camera, ID or sha256"


@admin.register(IncomingFile)
class IncomingFileAdmin(ProductAdmin):
    list_display = ("name", "route", "survey", "submitted_by", "received", "created_at", "job")
    list_select_related = ("survey", "submitted_by")
    list_filter = (("route", DropdownFilter), ("survey", ShownRowsFilter), ("created_at", RangeDateTimeFilter))
    search_fields = ("name", "address")
    search_help_text = "Name, address or ID"
    readonly_fields = ("received", "job")
    fields = (
        "name", "job", ("route", "address"), ("survey", "submitted_by"), "received", "results", "overrides",
        "stored_path", ("created_at", "updated_at"), "id",
    )  # fmt: skip

    @display(description="received")
    def received(self, row: IncomingFile) -> str:
        whole = "" if row.size_bytes is None else f" of {row.size_bytes / 1e6:.1f}"
        return f"{row.received_bytes / 1e6:.1f}{whole} MB"

    @display(description="job")
    def job(self, row: IncomingFile) -> SafeString:
        return list_link("catalog.processingjob", "jobs", entity_id=row.pk)
