"""How the admin looks, for django-unfold."""

from __future__ import annotations

THEME: dict[str, object] = {
    "SITE_TITLE": "AstrID",
    "SITE_HEADER": "AstrID",
    "SITE_SUBHEADER": "Administration",
    "SITE_SYMBOL": "flare",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "astrid_site.site.admin_pages.icon"}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    # A blue that reads on dark (links, 500) and under white (buttons, 600).
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 255)", "100": "oklch(93% .03 255)", "200": "oklch(88% .06 255)",
            "300": "oklch(81% .105 255)", "400": "oklch(75% .14 255)", "500": "oklch(71% .15 255)",
            "600": "oklch(54% .21 260)", "700": "oklch(47% .2 262)", "800": "oklch(41% .17 264)",
            "900": "oklch(36% .13 265)", "950": "oklch(27% .09 267)",
        },
    },
    "STYLES": ["astrid_site.site.admin_pages.themes", "astrid_site.site.admin_pages.stylesheet"],
    "SCRIPTS": ["astrid_site.site.admin_pages.script"],
    "SIDEBAR": {"navigation": "astrid_site.site.admin_pages.sidebar"},
    "DASHBOARD_CALLBACK": "astrid_site.site.admin_pages.dashboard",
}  # fmt: skip
