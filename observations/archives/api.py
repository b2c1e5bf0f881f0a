"""Archives that surveys are read from, for clients: read, and asked at once."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.failures import NotPossible
from catalog.json_classes import schema_of
from catalog.people.actors import actor_of
from catalog.web.rest.problems import Problem
from catalog.web.rest.rows import RowSerializer
from catalog.web.rest.views import RowViewSet
from observations.archives.filters import (
    ArchiveHostListFilter,
    ArchiveListFilter,
    ArchiveProductListFilter,
    ArchiveRunListFilter,
)
from observations.archives.keeping import Refused, order
from observations.archives.question import Question
from observations.models import Archive, ArchiveHost, ArchiveProduct, ArchiveRun, RunPurpose


@extend_schema_field(schema_of(Question))
class QuestionField(serializers.JSONField):
    """`Question`, as far as it was given."""


class ArchiveSerializer(RowSerializer):
    question = QuestionField()
    address = serializers.CharField(help_text="Where it is read: the survey's endpoint or home page, or a folder.")

    class Meta:
        model = Archive
        exclude = ("folder",)


class ArchiveRunSerializer(RowSerializer):
    new_count = serializers.IntegerField(help_text="Files that were not known before and can be fetched.")

    class Meta:
        model = ArchiveRun
        fields = "__all__"


class ArchiveProductSerializer(RowSerializer):
    access_url = serializers.CharField()

    class Meta:
        model = ArchiveProduct
        exclude = ("name_sha256", "version")


class ArchiveHostSerializer(RowSerializer):
    class Meta:
        model = ArchiveHost
        fields = "__all__"


class ArchiveViewSet(RowViewSet):
    """What the archives of surveys are asked, and when."""

    resource = "archives"
    queryset = Archive.objects.select_related("survey")
    serializer_class = ArchiveSerializer
    filterset_class = ArchiveListFilter

    @extend_schema(request=None, responses={202: ArchiveRunSerializer})
    @action(detail=True, methods=["post"])
    def run(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Ask it now for what is new, and fetch that; 409 for one that is off."""
        try:
            row = order(self.get_object(), RunPurpose.FETCH, actor_of(request._request))
        except (NotPossible, Refused) as refusal:
            raise Problem(409, "not_possible", str(refusal)) from refusal
        return Response(ArchiveRunSerializer(row, context=self.get_serializer_context()).data, status=202)


class ArchiveRunViewSet(RowViewSet):
    """When archives were asked, and what they answered."""

    resource = "archive-runs"
    queryset = ArchiveRun.objects.all()
    serializer_class = ArchiveRunSerializer
    filterset_class = ArchiveRunListFilter


class ArchiveProductViewSet(RowViewSet):
    """Files that archives offer, and what became of each."""

    resource = "archive-products"
    queryset = ArchiveProduct.objects.all()
    serializer_class = ArchiveProductSerializer
    filterset_class = ArchiveProductListFilter


class ArchiveHostViewSet(RowViewSet):
    """Servers that files come from: which are left alone, and until when."""

    resource = "archive-hosts"
    queryset = ArchiveHost.objects.all()
    serializer_class = ArchiveHostSerializer
    filterset_class = ArchiveHostListFilter
