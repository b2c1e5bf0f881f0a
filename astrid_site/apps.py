"""The admin of this site in place of Django's."""

from __future__ import annotations

from django.contrib.admin import apps


class AdminConfig(apps.AdminConfig):
    """Django's admin with our site."""

    default = False
    default_site = "astrid_site.site.admin_site.Site"
