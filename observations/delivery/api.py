"""Files on their way in, for clients: what became of each image in them."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.http import urlencode
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.json_classes import as_json, schema_of
from catalog.web.filters import AT, FROM_TO, ONE_OF, ListFilter
from catalog.web.rest.resources import address, address_of
from catalog.web.rest.rows import RowSerializer
from catalog.web.rest.views import RowViewSet
from observations.delivery.results import ImageResult, results_shown
from observations.models import IncomingFile


@dataclass(frozen=True)
class ImageResultWithUrl(ImageResult):
    """The same with the address of the row."""

    entity_url: str | None


class IncomingFileSerializer(RowSerializer):
    results = serializers.SerializerMethodField(
        help_text="For each image, what it became (an observation or calibration frame), or why it was refused."
    )
    jobs = serializers.SerializerMethodField(help_text="Address of the list of the jobs that ingest it.")

    class Meta:
        model = IncomingFile
        exclude = ("stored_path", "modified_ns", "request_key")

    @extend_schema_field({"type": "array", "items": schema_of(ImageResultWithUrl)})
    def get_results(self, row: IncomingFile) -> list[object]:
        user = self.context["request"].user
        return [
            as_json(ImageResultWithUrl(**vars(line), entity_url=self._url(line))) for line in results_shown(row, user)
        ]

    @extend_schema_field({"type": "string", "format": "uri"})
    def get_jobs(self, row: IncomingFile) -> str:
        query = urlencode({"entity_type": "incoming_file", "entity_id": str(row.pk)})
        return f"{address(self.context['request'], 'processing-jobs-list')}?{query}"

    def _url(self, line: ImageResult) -> str | None:
        return address_of(line.entity_type or "", line.entity_id or "", self.context["request"])


class IncomingFileFilter(ListFilter):
    class Meta:
        model = IncomingFile
        fields = {
            "route": ONE_OF, "name": AT, "survey": AT, "submitted_by": AT, "workflow_id": AT, "created_at": FROM_TO,
        }  # fmt: skip


class IncomingFileViewSet(RowViewSet):
    """Files that were uploaded, downloaded or found in a watched folder."""

    resource = "incoming-files"
    queryset = IncomingFile.objects.all()
    serializer_class = IncomingFileSerializer
    filterset_class = IncomingFileFilter
