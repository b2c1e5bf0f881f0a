"""What the OpenAPI document says of every address: who may, and how errors look."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django_filters import Filter
from drf_spectacular.contrib.django_filters import DjangoFilterExtension
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework.relations import ManyRelatedField, PrimaryKeyRelatedField

from catalog.people.scopes import SCOPES
from catalog.web.rest.fields import Input, RowKey
from catalog.web.rest.problems import CONTENT_TYPE
from catalog.web.rest.resources import resource_of

# A part of the document, as JSON nests it.
Document = dict[str, Any]

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `code` is stable; `detail` is for people.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {
            "type": "object",
            "description": "By field or parameter: what is wrong with it.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
}
# What is no JSON: tables are text, whatever is in them; of events, each one.
_NO_JSON = {
    "text/csv": {"type": "string"},
    "application/x-votable+xml": {"type": "string"},
    "application/vnd.apache.parquet": {"type": "string", "format": "binary"},
    "text/event-stream": {
        "type": "object",
        "description": "`data` is one publication, as in the feed.",
        "required": ["id", "data"],
        "properties": {"id": {"type": "string"}, "event": {"type": "string"}, "data": {"type": "string"}},
    },
}
# These may be empty: the beginning.
MAY_BE_EMPTY = frozenset({"cursor", "since"})
_DESCRIPTIONS = {
    "400": "Something in the request cannot be read or is not allowed.",
    "401": "No valid token or session.",
    "403": "The role or the token does not allow this.",
    "404": "There is no such row, or it is not visible to this account.",
    "429": "Too many requests: wait for the time in `Retry-After`.",
    "default": "Any other error.",
}


class TokenScheme(OpenApiAuthenticationExtension):
    """The two ways to show a token, of which one is enough."""

    target_class = "catalog.web.rest.authentication.ByToken"
    name = ["bearer", "token"]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[str]]]:
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, str]]:
        where = "made on the profile page or by `manage.py issue_token`"
        return [
            {"type": "http", "scheme": "bearer", "description": f"`astrid_…`, {where}."},
            {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": f"`Token astrid_…`, with the word before it; {where}.",
            },
        ]


class FilterScheme(DjangoFilterExtension):
    """What lists are narrowed by, with the words and bounds that its form has; the library's own leaves them out."""

    target_class = "django_filters.rest_framework.DjangoFilterBackend"
    match_subclasses = True
    priority = 1

    def resolve_filter_field(
        self, schemas: object, model: object, filters: object, name: str, narrowed: Filter
    ) -> list[Document]:
        parameters: list[Document] = super().resolve_filter_field(schemas, model, filters, name, narrowed)
        field: forms.Field = narrowed.field
        for parameter in parameters:
            schema: Document = parameter["schema"]
            is_list = schema.get("type") == "array"
            schema = schema["items"] if is_list else schema
            if isinstance(field, forms.ChoiceField) and not isinstance(field, forms.ModelChoiceField):
                schema["enum"] = [str(value) for value, _ in list(field.choices) if value]  # type: ignore[arg-type]
            elif schema.get("type") in ("number", "integer"):
                # Single precision would move a time by minutes.
                schema |= _bounds(field) | ({"format": "double"} if schema.get("format") == "float" else {})
            elif schema == {"type": "string"}:
                schema["pattern"] = r"^[^\x00,]+$" if is_list else r"^[^\x00]+$"
        return parameters


def _bounds(field: forms.Field) -> Document:
    lowest = [one.limit_value for one in field.validators if isinstance(one, MinValueValidator)]
    highest = [one.limit_value for one in field.validators if isinstance(one, MaxValueValidator)]
    return ({"minimum": max(lowest)} if lowest else {}) | ({"maximum": min(highest)} if highest else {})


class Schema(AutoSchema):
    """Operations by resource, each with the scope that it needs."""

    def _map_serializer_field(self, field: object, direction: object, bypass_extensions: bool = False) -> Document:
        """Say of a key of another row which list holds that row."""
        schema = super()._map_serializer_field(field, direction, bypass_extensions)
        if isinstance(field, RowKey):
            return {**schema, "x-resource": field.resource}
        if not isinstance(field, PrimaryKeyRelatedField):
            return schema
        holder: Any = field.parent if isinstance(field.parent, ManyRelatedField) else field
        related = holder.parent.Meta.model._meta.get_field(holder.source).related_model
        return {**schema, "x-resource": resource_of(related)}

    def _map_basic_serializer(self, serializer: object, direction: object) -> Document:
        """Say that what is sent has no other fields."""
        schema: Document = super()._map_basic_serializer(serializer, direction)
        return schema | ({"additionalProperties": False} if isinstance(serializer, Input) else {})

    def _resolve_path_parameters(self, variables: list[str]) -> list[Document]:
        """Name the files that rows of this kind have."""
        parameters: list[Document] = super()._resolve_path_parameters(variables)
        for parameter in parameters:
            if parameter["name"] == "name" and (files := getattr(self.view, "files", None)):
                parameter["schema"] = {"type": "string", "enum": [*files]}
        return parameters

    def get_tags(self) -> list[str]:
        resource = getattr(self.view, "resource", None)
        return [resource] if resource else ["about"]

    def get_description(self) -> str:  # type: ignore[override]
        resource = getattr(self.view, "resource", None)
        scope = f"{resource}:{'read' if self.method == 'GET' else 'write'}"
        told = super().get_description() or ""
        return f"{told}\n\nScope: `{scope}`." if scope in SCOPES else told


def with_problems(result: Document, **_: object) -> Document:
    """Add errors to every operation; and to tables that they are text, whatever their JSON is."""
    result["components"].setdefault("schemas", {})["Problem"] = _PROBLEM
    for path, operations in result["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                _bound(parameter)
            for response in operation["responses"].values():
                for media_type, content in response.get("content", {}).items():
                    content["schema"] = _NO_JSON.get(media_type, content["schema"])
            for status, description in _DESCRIPTIONS.items():
                if status != "404" or "{" in path:
                    operation["responses"].setdefault(status, _response(description))
    return result


def _bound(parameter: Document) -> None:
    """Say that a parameter that is given has a value."""
    schema = parameter["schema"]
    if parameter["in"] != "query" or parameter["name"] in MAY_BE_EMPTY:
        return
    if schema.get("type") == "array":
        schema["minItems"] = 1
        schema = schema["items"]
    if schema.get("type") == "string" and not schema.keys() & {"enum", "format", "pattern"}:
        schema["minLength"] = 1


def _response(description: str) -> Document:
    return {
        "description": description,
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
