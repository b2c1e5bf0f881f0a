"""The choice of a look where no script keeps it."""

from __future__ import annotations

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from astrid_site.site.navigation import THEMES
from catalog.web.back import back_to

_A_YEAR_SECONDS = 31536000


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Keep the look that was chosen in the browser, as the script does, and return to the page."""
    theme = request.POST.get("theme", "")
    if theme not in THEMES:
        raise BadRequest(f"There is no such look: choose one of {', '.join(THEMES)}.")
    answer = back_to(request, "home")
    answer.set_cookie("theme", theme, max_age=_A_YEAR_SECONDS, samesite="Lax", secure=request.is_secure())
    return answer
