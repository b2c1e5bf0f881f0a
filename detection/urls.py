"""Pages of detections, sources and models."""

from django.urls import path

from detection import model_views, pixel_views, views

app_name = "detection"
urlpatterns = [
    path("detections/", views.detections, name="detections"),
    path("detections/<uuid:detection_id>/cutouts.png", views.cutouts_picture, name="cutouts"),
    path("detections/<uuid:detection_id>/pixels", pixel_views.pixels, name="pixels"),
    path("candidates/<uuid:candidate_id>/", views.of_candidate, name="of_candidate"),
    path("sources/", views.sources, name="sources"),
    path("models/", model_views.models, name="models"),
    path("models/<uuid:model_id>/", model_views.model, name="model"),
]
