"""Joins the apps: settings, addresses, workers and the commands that start it all."""

from astrid_site.celery import app as celery_app

__all__ = ["celery_app"]
