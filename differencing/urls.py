"""Pages of differences."""

from django.urls import URLPattern

app_name = "differencing"
urlpatterns: list[URLPattern] = []
