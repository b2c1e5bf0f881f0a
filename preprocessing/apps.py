from django.apps import AppConfig


class PreprocessingConfig(AppConfig):
    name = "preprocessing"
    default_auto_field = "django.db.models.BigAutoField"
