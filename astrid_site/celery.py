"""The Celery application; its settings are Django's, with the prefix CELERY_."""

from __future__ import annotations

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "astrid_site.settings")

TRANSPORT_ALIASES["filesystem"] = "astrid_site.running.broker:Transport"

app = Celery("astrid")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
