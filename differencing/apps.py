from django.apps import AppConfig


class DifferencingConfig(AppConfig):
    name = "differencing"
    default_auto_field = "django.db.models.BigAutoField"
