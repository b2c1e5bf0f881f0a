"""Pages of triage and alerts."""

from django.urls import path

from curation import views

app_name = "curation"
urlpatterns = [
    path("triage/", views.triage, name="triage"),
    path("alerts/", views.alerts, name="alerts"),
]
