"""What the OpenAPI document says of every address: who may, and how errors look."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from catalog.scopes import SCOPES
from catalog.web.rest.problems import CONTENT_TYPE

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `code` stays what it is; `detail` is for people.",
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
_DESCRIPTIONS = {
    "400": "Something that was sent cannot be read or is not acceptable.",
    "401": "No token or session, or none that opens anything.",
    "403": "Role or token do not include this.",
    "404": "There is no such row, or none that one may see.",
    "429": "Too many requests: wait as long as `Retry-After` says.",
    "default": "Any other error.",
}


class TokenScheme(OpenApiAuthenticationExtension):
    """How a token is shown."""

    target_class = "catalog.web.rest.authentication.ByToken"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token astrid_…`, made on the profile page or by `manage.py issue_token`.",
        }


class Schema(AutoSchema):
    """Operations by resource, each with the scope that it needs."""

    def get_tags(self) -> list[str]:
        resource = getattr(self.view, "resource", None)
        return [resource] if resource else ["about"]

    def get_description(self) -> str:  # type: ignore[override]
        resource = getattr(self.view, "resource", None)
        scope = f"{resource}:{'read' if self.method == 'GET' else 'write'}"
        told = super().get_description() or ""
        return f"{told}\n\nScope: `{scope}`." if scope in SCOPES else told


def with_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add errors to every operation; and to tables that they are text, whatever their JSON is."""
    result["components"].setdefault("schemas", {})["Problem"] = _PROBLEM
    for path, operations in result["paths"].items():
        for operation in operations.values():
            for response in operation["responses"].values():
                for media_type, content in response.get("content", {}).items():
                    if "json" not in media_type and media_type.startswith(("text/", "application/x-votable")):
                        content["schema"] = {"type": "string"}
            for status, description in _DESCRIPTIONS.items():
                if status != "404" or "{" in path:
                    operation["responses"].setdefault(status, _response(description))
    return result


def _response(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
