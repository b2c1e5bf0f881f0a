"""Parts of pages that show preprocess runs."""

from django.urls import path

from preprocessing import views

app_name = "preprocessing"
urlpatterns = [
    path("observations/<uuid:observation_id>/preprocess-runs/", views.runs_of, name="runs_of"),
]
