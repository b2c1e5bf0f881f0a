"""Pages of frames."""

from django.urls import path

from observations import upload_views, views

app_name = "observations"
urlpatterns = [
    path("observations/", views.observations, name="observations"),
    path("observations/upload/", upload_views.upload, name="upload"),
    path("observations/deliveries/<uuid:delivery_id>/", upload_views.delivery, name="delivery"),
    path("observations/<uuid:observation_id>/", views.observation, name="observation"),
    path("observations/<uuid:observation_id>/header/", views.header, name="header"),
    path("observations/<uuid:observation_id>/<slug:size>.png", views.preview, name="preview"),
    path("observations/<uuid:observation_id>/reprocess/", views.reprocess, name="reprocess"),
    path("observations/<uuid:observation_id>/archive/", views.archive, name="archive"),
    path("observations/<uuid:observation_id>/take-back/", views.take_back, name="take_back"),
]
