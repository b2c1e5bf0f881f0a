"""What a page may load and run: only what this site serves, and nothing that stands in the page itself."""

from __future__ import annotations

from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponseBase

# The admin's theme evaluates expressions in attributes and writes styles into elements.
_ADMIN = {
    "script-src": ["'self'", "'unsafe-inline'", "'unsafe-eval'"],
    "style-src": ["'self'", "'unsafe-inline'"],
}


class ContentPolicy(CSPMiddleware):
    """The policy of the settings, a looser one under /admin/ alone."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.path.startswith("/admin/"):
            response._csp_replace = _ADMIN  # type: ignore[attr-defined]
        return super().process_response(request, response)
