"""Surveys and frames, for clients: read, and handed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.datastructures import MultiValueDict
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.failures import StageFailure
from catalog.files.addresses import AddressRefused
from catalog.files.storage import StorageFull
from catalog.models import ProcessingJob
from catalog.people.actors import actor_of
from catalog.roles import MAY_KEEP_SURVEYS
from catalog.web.filters import AT, FROM_TO, NOT_FOUND, ONE_OF, ConeFilter, ListFilter
from catalog.web.rest.fields import Input, Number, RowKey, Text
from catalog.web.rest.files import WithFiles
from catalog.web.rest.paging import NEWEST_FIRST, OLDEST_CHANGE_FIRST
from catalog.web.rest.parsing import BoundedJSON
from catalog.web.rest.problems import Problem
from catalog.web.rest.resources import address
from catalog.web.rest.rows import RowSerializer
from catalog.web.rest.views import RowViewSet
from catalog.work.pause import IngestPaused
from observations.delivery.incoming import submit_upload, submit_url
from observations.delivery.ingest import Overrides
from observations.delivery.rows import is_local_hidden
from observations.frames.filters import ObservationFilter
from observations.models import CalibrationFrame, Field, IncomingFile, Observation, Survey, Telescope

# What a list would be long by: in single answers only.
_LONG = ("header", "facts")
# When a client that was told of a pause may ask again.
_PAUSE_SECONDS = 60.0
# What is given beside a file: its name here, and in `Overrides`.
_BESIDE = {
    "ra": "ra_deg", "dec": "dec_deg", "pixel_scale": "pixel_scale_arcsec", "filter_band": "band",
    "exposure_time": "exposure_s", "observation_time": "observation_time",
}  # fmt: skip


class TeamsField(serializers.ListField):
    """Names of the teams of a survey, for those who keep the surveys."""

    child = serializers.CharField()

    def get_attribute(self, instance: Survey) -> list[str] | None:
        if not self.context["request"].user.has_perm(MAY_KEEP_SURVEYS):
            return None
        return sorted(group.name for group in instance.groups.all())


class SurveySerializer(RowSerializer):
    base_url = serializers.CharField()
    api_endpoint = serializers.CharField()

    groups = TeamsField(
        read_only=True,
        allow_null=True,
        help_text="Teams that may see what is of it, none: everybody. For administrators, else null.",
    )

    class Meta:
        model = Survey
        fields = "__all__"


class SurveyFilter(ListFilter):
    class Meta:
        model = Survey
        fields = {"name": AT, "is_active": AT}


class SurveyViewSet(RowViewSet):
    """Surveys that deliver frames."""

    resource = "surveys"
    queryset = Survey.objects.all()
    serializer_class = SurveySerializer
    filterset_class = SurveyFilter

    def get_queryset(self) -> QuerySet[Survey]:
        rows: QuerySet[Survey] = super().get_queryset()
        return rows.prefetch_related("groups") if self.request.user.has_perm(MAY_KEEP_SURVEYS) else rows


class TelescopeSerializer(RowSerializer):
    class Meta:
        model = Telescope
        fields = "__all__"


class TelescopeFilter(ListFilter):
    class Meta:
        model = Telescope
        fields = {"name": AT, "mpc_code": AT}


class TelescopeViewSet(RowViewSet):
    """Telescopes and their sites."""

    resource = "telescopes"
    queryset = Telescope.objects.all()
    serializer_class = TelescopeSerializer
    filterset_class = TelescopeFilter


class FieldSerializer(RowSerializer):
    class Meta:
        model = Field
        exclude = ("healpix",)


class FieldFilter(ListFilter):
    cone = ConeFilter()

    class Meta:
        model = Field
        fields = {"name": AT}


class FieldViewSet(RowViewSet):
    """Frames of one pointing have one field; `ra`, `dec` are its centre's."""

    resource = "fields"
    queryset = Field.objects.all()
    serializer_class = FieldSerializer
    filterset_class = FieldFilter


class CalibrationFrameSerializer(RowSerializer):
    class Meta:
        model = CalibrationFrame
        exclude = ("header",)


class CalibrationFrameFilter(ListFilter):
    class Meta:
        model = CalibrationFrame
        fields = {"kind": ONE_OF, "telescope": AT, "camera": AT, "night": [*AT, *FROM_TO], "sha256": AT}


class CalibrationFrameViewSet(WithFiles, RowViewSet):
    """Bias, dark and flat frames as delivered. Files: `raw`."""

    resource = "calibration-frames"
    files: ClassVar[Mapping[str, str]] = {"raw": "fits_file_path"}
    queryset = CalibrationFrame.objects.defer("header")
    serializer_class = CalibrationFrameSerializer
    filterset_class = CalibrationFrameFilter


class ObservationSerializer(RowSerializer):
    fits_url = serializers.CharField(help_text="Where it was downloaded from; empty if it came another way.")

    class Meta:
        model = Observation
        exclude = ("healpix", *_LONG)


class ObservationDetailSerializer(ObservationSerializer):
    class Meta:
        model = Observation
        exclude = ("healpix",)


class BesideSerializer(Input):
    """What a file's header lacks."""

    ra = Number(required=False, min_value=0.0, max_value=360.0, help_text="ICRS degrees, with `dec`.")
    dec = Number(required=False, min_value=-90.0, max_value=90.0, help_text="ICRS degrees, with `ra`.")
    pixel_scale = Number(required=False, min_value=0.005, max_value=300.0, help_text="Arcseconds per pixel.")
    filter_band = Text(required=False, max_length=32)
    exposure_time = Number(required=False, min_value=1e-6, max_value=1e7, help_text="Seconds.")
    observation_time = serializers.DateTimeField(required=False, help_text="Start; UTC if no time zone is given.")


@extend_schema_field({"type": "string", "format": "binary", "minLength": 1})
class FilledFileField(serializers.FileField):
    """A file with something in it."""


class UploadSerializer(BesideSerializer):
    """A file in a form; its frames belong to the survey `local`."""

    file = FilledFileField(help_text="FITS, plain or compressed.")


@extend_schema_field(
    {"type": "string", "pattern": r"^https?://[a-z0-9-]+(\.[a-z0-9-]+)+(/[!-~]*)?$", "maxLength": 2000}
)
class AddressField(Text):
    """An address on the web."""


class AddressSerializer(BesideSerializer):
    """The address of a file."""

    fits_url = AddressField(max_length=2000, help_text="http or https.")
    survey = Text(required=False, help_text="Name or UUID; `local` by default.")


class OrderedSerializer(serializers.Serializer[object]):
    """The job that ingests a frame, and the file, which tells what became of each image in it."""

    job = serializers.URLField(help_text="Address of the job.")
    job_id = RowKey("processing-jobs")
    incoming_file = serializers.URLField(help_text="Address of the file, which tells what became of each image in it.")
    incoming_file_id = RowKey("incoming-files")
    name = serializers.CharField(help_text="Name of the file.")


@extend_schema_view(
    retrieve=extend_schema(responses=ObservationDetailSerializer),
    create=extend_schema(
        request={"application/json": AddressSerializer, "multipart/form-data": UploadSerializer},
        responses={202: OrderedSerializer},
        filters=False,
    ),
)
class ObservationViewSet(WithFiles, RowViewSet):
    """Exposures as delivered. Files: `raw`."""

    resource = "observations"
    files: ClassVar[Mapping[str, str]] = {"raw": "fits_file_path"}
    queryset = Observation.objects.all()
    filterset_class = ObservationFilter
    parser_classes = (BoundedJSON, MultiPartParser)
    orderings = {
        "-observation_time": ("-observation_time", "-id"),
        "observation_time": ("observation_time", "id"),
        **OLDEST_CHANGE_FIRST,
        **NEWEST_FIRST,
    }

    def get_serializer_class(self) -> type[RowSerializer]:
        return ObservationDetailSerializer if self.action == "retrieve" else ObservationSerializer

    def get_queryset(self) -> QuerySet[Observation]:
        rows = super().get_queryset()
        return rows if self.action == "retrieve" else rows.defer(*_LONG)

    def create(self, request: Request) -> Response:
        """Submit a frame: a job ingests it, whose address is returned."""
        kind = UploadSerializer if isinstance(request.data, MultiValueDict) else AddressSerializer
        form = kind(data=_once(request.data))
        form.is_valid(raise_exception=True)
        try:
            row, job = self._submit(form.validated_data)
        except AddressRefused as refusal:
            raise Problem(400, "address_refused", str(refusal), {"fits_url": [str(refusal)]}) from refusal
        except StageFailure as refusal:
            raise Problem(413, str(refusal.code), refusal.sentence, {"file": [refusal.sentence]}) from refusal
        except IngestPaused as pause:
            raise Problem(503, "ingest_paused", str(pause), wait=_PAUSE_SECONDS) from pause
        except StorageFull as full:
            raise Problem(507, "disk_full", str(full)) from full
        url = address(request, "processing-jobs-detail", job.pk)
        ordered = {
            "job": url,
            "job_id": job.pk,
            "incoming_file": address(request, "incoming-files-detail", row.pk),
            "incoming_file_id": row.pk,
            "name": row.name,
        }
        answer = OrderedSerializer(ordered)
        return Response(answer.data, status=202, headers={"Location": url})

    def _submit(self, given: dict[str, Any]) -> tuple[IncomingFile, ProcessingJob]:
        try:
            overrides = Overrides(**{name: given.get(field) for field, name in _BESIDE.items()})
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error
        actor = actor_of(self.request._request)
        if "survey" not in given and is_local_hidden(self.request.user):
            raise serializers.ValidationError({"survey": ["Name one: those of this computer's are not for you."]})
        if "file" in given:
            return submit_upload(given["file"].chunks(), given["file"].name, overrides, actor=actor)
        survey = self._survey(given["survey"]) if "survey" in given else None
        return submit_url(given["fits_url"], overrides, actor=actor, survey=survey)

    def _survey(self, name: str) -> Survey:
        rows = Survey.objects.visible_to(self.request.user).filter(is_active=True)
        found: Survey | None = rows.filter(_named(name)).first()
        if found is None:
            raise serializers.ValidationError({"survey": [f"There is no survey {name!r}."]}, NOT_FOUND)
        return found


def _once(data: object) -> object:
    """Return what a form holds as JSON would hold it."""
    return {name: data[name] for name in data} if isinstance(data, MultiValueDict) else data


def _named(text: str) -> Q:
    """Return what finds a row by its name or its key."""
    try:
        return Q(name=text) | Q(pk=UUID(text))
    except ValueError:
        return Q(name=text)
