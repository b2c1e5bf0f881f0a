"""Pages of triage and alerts."""

from django.urls import path

from curation import alert_views, detection_views, views

app_name = "curation"
urlpatterns = [
    path("triage/", views.triage, name="triage"),
    path("alerts/", alert_views.alerts, name="alerts"),
    path("alerts/<uuid:alert_id>/", alert_views.alert, name="alert"),
    path("detections/<uuid:detection_id>/", detection_views.detection, name="detection"),
    path("sources/<uuid:source_id>/", detection_views.source, name="source"),
    path("triage/next", views.triage_next, name="triage_next"),
    path("triage/answers", views.triage_answers, name="triage_answers"),
    path("triage/presence", views.triage_presence, name="triage_presence"),
    path("triage/release", views.triage_release, name="triage_release"),
]
