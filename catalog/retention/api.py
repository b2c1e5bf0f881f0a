"""Which files retention removed, for clients."""

from __future__ import annotations

from rest_framework import serializers

from catalog.models import RemovedFile
from catalog.web.filters import AT, FROM_TO, ONE_OF, ListFilter
from catalog.web.rest.resources import address_of
from catalog.web.rest.rows import RowSerializer
from catalog.web.rest.views import RowViewSet


class RemovedFileSerializer(RowSerializer):
    entity_id = serializers.CharField(read_only=True, help_text="Key of the row whose files they were.")
    entity_url = serializers.SerializerMethodField(help_text="Address of the row whose files they were.")

    class Meta:
        model = RemovedFile
        fields = "__all__"

    def get_entity_url(self, row: RemovedFile) -> str | None:
        return address_of(row.entity_type, str(row.entity_id), self.context["request"])


class RemovedFileFilter(ListFilter):
    class Meta:
        model = RemovedFile
        fields = {"entity_type": ONE_OF, "entity_id": AT, "removed_at": FROM_TO}


class RemovedFileViewSet(RowViewSet):
    """Files that were older than they were to be kept: of which rows, and since when they are gone."""

    resource = "removed-files"
    queryset = RemovedFile.objects.all()
    serializer_class = RemovedFileSerializer
    filterset_class = RemovedFileFilter
