"""Who may open a page: people with an account, and among them those whose role has the permission."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpResponseBase

View = Callable[..., HttpResponseBase]


def requires(*permissions: str) -> Callable[[View], View]:
    """Send strangers to the log-in, and refuse with 403 those who lack a permission of `catalog.roles`."""

    def decorate(view: View) -> View:
        return login_required(permission_required(permissions, raise_exception=True)(view))

    return decorate
