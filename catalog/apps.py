from django.apps import AppConfig
from django.db.backends.signals import connection_created

from catalog.moments import read_quickly


class CatalogConfig(AppConfig):
    name = "catalog"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        connection_created.connect(read_quickly, dispatch_uid="astrid_moments")
