"""Pages of differences."""

from django.urls import path

from differencing import views

app_name = "differencing"
urlpatterns = [
    path("differences/<uuid:run_id>/", views.difference, name="difference"),
    path("differences/<uuid:run_id>/<slug:kind>.png", views.picture, name="picture"),
    path("differences/<uuid:run_id>/tiles/<slug:kind>/<int:level>/<int:column>/<int:row>", views.tile, name="tile"),
    path("differences/<uuid:run_id>/sample/<int:level>", views.sample, name="sample"),
    path("observations/<uuid:observation_id>/differences/", views.runs_of, name="runs_of"),
]
