"""The configuration, for clients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.configuration.keys import DECLARED, ConfigKey
from catalog.models import SystemConfig
from catalog.web.filters import NOT_FOUND
from catalog.web.keyset import Page
from catalog.web.rest.paging import CURSOR, MOST, page_size_of, paged
from catalog.web.rest.views import ResourceViewSet


@extend_schema_field({"oneOf": [{"type": "boolean"}, {"type": "number"}, {"type": "string"}]})
class ConfigValueField(serializers.Field[object, object, object, object]):
    """A value of whatever type its key declares."""

    def to_representation(self, value: object) -> object:
        return value


class SystemConfigSerializer(serializers.Serializer[object]):
    key = serializers.CharField()
    value = ConfigValueField(help_text="In use now.", allow_null=True)
    default = ConfigValueField(allow_null=True)
    description = serializers.CharField()
    minimum = serializers.FloatField(allow_null=True)
    maximum = serializers.FloatField(allow_null=True)
    choices = serializers.ListField(child=serializers.CharField())
    is_active = serializers.BooleanField(help_text="Whether somebody has set it; otherwise the default is in use.")
    is_secret = serializers.BooleanField(help_text="Written and never read back: value and default are null.")
    updated_at = serializers.DateTimeField(allow_null=True, help_text="When it was last set.")


class SystemConfigPageSerializer(serializers.Serializer[object]):
    results = SystemConfigSerializer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


@extend_schema_view(
    list=extend_schema(
        responses=forced_singular_serializer(SystemConfigPageSerializer),
        parameters=[
            OpenApiParameter("page_size", {"type": "integer", "minimum": 1, "maximum": MOST}),
            OpenApiParameter("cursor", CURSOR, description="The `next` of an earlier response."),
        ],
    )
)
class SystemConfigViewSet(ResourceViewSet):
    """The declared keys, each with its value, default and bounds; for administrators. A key is its own `id`."""

    resource = "system-config"
    queryset = SystemConfig.objects.all()
    serializer_class = SystemConfigSerializer
    pagination_class = None
    filter_backends = ()
    lookup_field, lookup_value_converter = "key", "str"

    def parameters(self) -> frozenset[str]:
        return frozenset({"format", "page_size", "cursor"} if self.action == "list" else {"format"})

    def list(self, request: Request) -> Response:
        """All configuration keys, by name."""
        names, last = sorted(DECLARED), request.query_params.get("cursor", "")
        if last and last not in DECLARED:
            refusal = "This cursor does not belong to this list: start from its first page."
            raise ValidationError({"cursor": [refusal]}, NOT_FOUND)
        rest = [name for name in names if name > last]
        size = page_size_of(request)
        page = Page(rest[:size], rest[size - 1] if len(rest) > size else None, None)
        stored = self._stored(page.rows)
        return paged(request, page, [self._row(DECLARED[name], stored.get(name)) for name in page.rows])

    def retrieve(self, request: Request, key: str) -> Response:
        """One configuration key, by its name or by the `id` of its row, which the audit log gives."""
        name = key if key in DECLARED else self._name_of(key)
        if name not in DECLARED:
            raise NotFound("There is no such key.")
        return Response(self._row(DECLARED[name], self._stored([name]).get(name)))

    def _name_of(self, key: str) -> str:
        try:
            return self.get_queryset().filter(pk=UUID(key)).values_list("key", flat=True).first() or ""
        except ValueError:
            return ""

    def _stored(self, names: Iterable[str]) -> dict[str, SystemConfig]:
        return {row.key: row for row in self.get_queryset().filter(key__in=names, is_active=True)}

    def _row(self, key: ConfigKey, stored: SystemConfig | None) -> Mapping[str, object]:
        row = {
            "key": key.name,
            "value": None if key.is_secret else stored.value if stored else key.default,
            "default": None if key.is_secret else key.default,
            "description": key.explanation,
            "minimum": key.minimum,
            "maximum": key.maximum,
            "choices": list(key.choices),
            "is_active": stored is not None,
            "is_secret": key.is_secret,
            "updated_at": stored.updated_at if stored else None,
        }
        return self.get_serializer(row).data
