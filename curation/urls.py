"""Pages of triage and alerts."""

from django.urls import path

from curation import views

app_name = "curation"
urlpatterns = [
    path("triage/", views.triage, name="triage"),
    path("triage/next", views.triage_next, name="triage_next"),
    path("triage/answers", views.triage_answers, name="triage_answers"),
    path("triage/presence", views.triage_presence, name="triage_presence"),
    path("triage/release", views.triage_release, name="triage_release"),
    path("alerts/", views.alerts, name="alerts"),
]
