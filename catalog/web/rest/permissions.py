"""What one who asks may do: what their role may, and of that what their token was given."""

from __future__ import annotations

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from catalog.models import ApiToken
from catalog.people.scopes import SCOPES
from catalog.web.rest.problems import Problem


class ByRoleAndScope(BasePermission):
    """A view says in `resource` what it is about; one that says nothing is open to all accounts."""

    def has_permission(self, request: Request, view: object) -> bool:
        if not request.user.is_authenticated:
            return False
        resource = getattr(view, "resource", None)
        name = f"{resource}:{'read' if request.method in SAFE_METHODS else 'write'}"
        if resource is None or name not in SCOPES:
            return True  # There is nothing of the kind: the method is refused.
        require(request, name)
        return True


def require(request: Request, scope: str, hint: str = "") -> None:
    """Refuse whose role does not include what a scope is for, or whose token does not have it, with what to do."""
    if not request.user.has_perm(SCOPES[scope].permission):
        raise Problem(403, "role_lacks", f"Your role does not include this: {SCOPES[scope].title}.")
    if isinstance(request.auth, ApiToken) and scope not in request.auth.scopes:
        raise Problem(403, "scope_lacks", f"This token does not have the scope {scope}. {hint}".strip())
