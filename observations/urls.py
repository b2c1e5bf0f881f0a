"""Pages of frames."""

from django.urls import path

from observations import views

app_name = "observations"
urlpatterns = [
    path("observations/", views.observations, name="observations"),
    path("observations/<uuid:observation_id>/", views.observations, name="observation"),
    path("observations/upload/", views.observations, name="upload"),
]
