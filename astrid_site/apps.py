"""The site itself, and the admin of this site in place of Django's."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin import apps
from django.core import checks
from django.db.backends.signals import connection_created

from astrid_site.running.moments import read_quickly
from astrid_site.site.origin import proxies_are_told_of


class SiteConfig(AppConfig):
    """What joins everything; `manage.py check --deploy` asks it too."""

    name = "astrid_site"
    default = True

    def ready(self) -> None:
        checks.register(proxies_are_told_of, checks.Tags.security, deploy=True)
        connection_created.connect(read_quickly, dispatch_uid="astrid_moments")


class AdminConfig(apps.AdminConfig):
    """Django's admin with our site."""

    default = False
    default_site = "astrid_site.site.admin_site.Site"
