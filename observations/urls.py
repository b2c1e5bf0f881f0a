"""Pages of frames."""

from django.urls import path

from observations.archives import views as archive_views
from observations.delivery import views as delivery_views
from observations.frames import views as frame_views

app_name = "observations"
urlpatterns = [
    path("archives/", archive_views.archives, name="archives"),
    path("archives/new/", archive_views.new_archive, name="new_archive"),
    path("archives/<uuid:archive_id>/", archive_views.one_archive, name="one_archive"),
    path("archives/<uuid:archive_id>/edit/", archive_views.edit_archive, name="edit_archive"),
    path("archives/<uuid:archive_id>/order/<slug:what>/", archive_views.order_archive, name="order_archive"),
    path(
        "archives/<uuid:archive_id>/files/<uuid:product_id>/again/",
        archive_views.try_product_again,
        name="try_product_again",
    ),
    path("observations/", frame_views.observations, name="observations"),
    path("observations/upload/", delivery_views.upload, name="upload"),
    path("observations/inspect/", delivery_views.inspect, name="inspect"),
    path("observations/deliveries/<uuid:delivery_id>/", delivery_views.delivery, name="delivery"),
    path("observations/<uuid:observation_id>/", frame_views.observation, name="observation"),
    path("observations/<uuid:observation_id>/header/", frame_views.header, name="header"),
    path("observations/<uuid:observation_id>/<slug:size>.png", frame_views.preview, name="preview"),
    path("observations/<uuid:observation_id>/reprocess/", frame_views.reprocess, name="reprocess"),
    path("observations/<uuid:observation_id>/archive/", frame_views.archive, name="archive"),
    path("observations/<uuid:observation_id>/doubts/<uuid:doubt_id>/", frame_views.settle, name="settle_doubt"),
    path("observations/<uuid:observation_id>/take-back/", frame_views.take_back, name="take_back"),
]
