"""Cutouts, pages of models, and the way from candidates to detections."""

from django.urls import path

from detection.below_cut import views as below_cut_views
from detection.context import views as context_views
from detection.cutouts import views as cutout_views
from detection.registry import views as model_views
from detection.sources import views as source_views

app_name = "detection"
urlpatterns = [
    path("detections/<uuid:detection_id>/cutouts.png", cutout_views.cutouts_picture, name="cutouts"),
    path("detections/<uuid:detection_id>/pixels", cutout_views.pixels, name="pixels"),
    path("detections/<uuid:detection_id>/context/", context_views.context, name="context"),
    path("detections/<uuid:detection_id>/context/<slug:kind>.png", context_views.picture, name="context_picture"),
    path("detections/<uuid:detection_id>/finding-chart.<slug:form>", context_views.finding_chart, name="finding_chart"),
    path("differences/<uuid:run_id>/known/", context_views.over_frame, name="over_frame"),
    path("candidates/", below_cut_views.below_cut, name="below_cut"),
    path("candidates/promote", below_cut_views.promote, name="promote"),
    path("candidates/<uuid:candidate_id>/cutouts.png", below_cut_views.cutouts, name="candidate_cutouts"),
    path("detections/pixels", cutout_views.epoch_pixels, name="epoch_pixels"),
    path("candidates/<uuid:candidate_id>/", source_views.of_candidate, name="of_candidate"),
    path("models/", model_views.models, name="models"),
    path("models/train", model_views.order_training, name="order_training"),
    path("models/data-sets/<uuid:data_set_id>/", model_views.data_set, name="data_set"),
    path("models/<uuid:model_id>/", model_views.model, name="model"),
    path("models/<uuid:model_id>/activate", model_views.activate, name="activate_model"),
    # Whatever else is done to one; what has a page of its own comes before it.
    path("models/<uuid:model_id>/<slug:change>", model_views.change_model, name="change_model"),
]
