"""How pages name a browser and a second factor."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django import template

register = template.Library()

# The first word that a browser's own description holds says which it is: others call themselves by its name too.
_BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chromium/", "Chromium"), ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip
_LONGEST = 40


@register.filter
def browser(user_agent: str) -> str:
    """Return what a browser calls itself in few words, "Firefox on Linux"; how it begins, if it is another program."""
    names = [next((name for word, name in table if word in user_agent), "") for table in (_BROWSERS, _SYSTEMS)]
    if names[0]:
        return " on ".join(name for name in names if name)
    return user_agent[:_LONGEST] or "unknown"


@register.filter
def factor_name(factor: Authenticator) -> str:
    """Return what a second factor is called."""
    return "Authenticator app" if factor.type == Authenticator.Type.TOTP else f"Security key “{factor.wrap().name}”"
