"""Pages of detections, sources and models."""

from django.urls import path

from detection import pixel_views, views

app_name = "detection"
urlpatterns = [
    path("detections/", views.detections, name="detections"),
    path("detections/<uuid:detection_id>/cutouts.png", views.cutouts_picture, name="cutouts"),
    path("detections/<uuid:detection_id>/pixels", pixel_views.pixels, name="pixels"),
    path("sources/", views.sources, name="sources"),
    path("models/", views.models, name="models"),
]
