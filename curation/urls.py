"""Pages of detections and sources, triage and alerts."""

from django.urls import path

from curation.alerts import views as alert_views
from curation.batches import views as batch_views
from curation.detections import views as detection_views
from curation.judgements import views as judgement_views
from curation.known import views as known_views
from curation.labels import views as label_views
from curation.notes import views as note_views
from curation.push import views as push_views
from curation.rates import views as rate_views
from curation.reports import views as report_views
from curation.saved_filters import views as filter_views
from curation.statistics import views as statistics_views
from curation.tonight import views as tonight_views
from curation.triage import views as triage_views
from curation.triage.asides import views as aside_views
from curation.triage.plain import views as plain_views
from curation.why import views as why_views

app_name = "curation"
urlpatterns = [
    path("triage/", triage_views.triage, name="triage"),
    path("alerts/", alert_views.alerts, name="alerts"),
    path("alerts/<uuid:alert_id>/", alert_views.alert, name="alert"),
    path("subscriptions/", push_views.subscriptions, name="subscriptions"),
    path("subscriptions/new/", push_views.new_subscription, name="new_subscription"),
    path("subscriptions/deliveries/", push_views.deliveries, name="deliveries"),
    path("subscriptions/deliveries/replay", push_views.replay_deliveries, name="replay_deliveries"),
    path("subscriptions/<uuid:subscription_id>/", push_views.subscription, name="subscription"),
    path("subscriptions/<uuid:subscription_id>/edit/", push_views.edit_subscription, name="edit_subscription"),
    path("subscriptions/<uuid:subscription_id>/rotate", push_views.rotate_secret, name="rotate_secret"),
    path("subscriptions/<uuid:subscription_id>/test", push_views.test_subscription, name="test_subscription"),
    path("subscriptions/<uuid:subscription_id>/pause", push_views.pause_subscription, name="pause_subscription"),
    path("subscriptions/<uuid:subscription_id>/resume", push_views.resume_subscription, name="resume_subscription"),
    path("subscriptions/<uuid:subscription_id>/end", push_views.end_subscription, name="end_subscription"),
    path("detections/", detection_views.detections, name="detections"),
    path("detections/<uuid:detection_id>/", detection_views.detection, name="detection"),
    path("detections/answer/", batch_views.preview, name="batch"),
    path("detections/answer/save", batch_views.answer, name="batch_answer"),
    path("detections/answer/<uuid:group>/undo", batch_views.undo, name="batch_undo"),
    path("detections/<uuid:detection_id>/why/", why_views.why, name="why"),
    path("detections/<uuid:detection_id>/note", note_views.write, name="write_note"),
    path("notes/<uuid:note_id>/withdraw", note_views.withdraw, name="withdraw_note"),
    path("notes/seen", note_views.seen, name="mentions_seen"),
    path("filters/save", filter_views.save, name="save_filter"),
    path("filters/history", filter_views.history, name="filter_history"),
    path("filters/<uuid:filter_id>/delete", filter_views.delete, name="delete_filter"),
    path("detections/<uuid:detection_id>/gold", judgement_views.known, name="mark_gold"),
    path("detections/<uuid:detection_id>/example", judgement_views.example, name="example"),
    path("labels/", judgement_views.labels, name="labels"),
    path("triage/accuracy/", judgement_views.known_items, name="known_items"),
    path("sources/", detection_views.sources, name="sources"),
    path("sources/<uuid:source_id>/", detection_views.source, name="source"),
    path("triage/known/", known_views.known, name="known"),
    path("triage/known/confirm", known_views.confirm_known, name="confirm_known"),
    path("triage/known/undo", known_views.undo_known, name="undo_known"),
    path("models/retraining/", label_views.retraining, name="retraining"),
    path("models/retraining/order", label_views.order_retraining, name="order_retraining"),
    path("tonight/", tonight_views.tonight, name="tonight"),
    path("reports/", report_views.reports, name="reports"),
    path("reports/new/", report_views.new_report, name="new_report"),
    path("reports/<uuid:report_id>/", report_views.report, name="report"),
    path("reports/<uuid:report_id>/report.<slug:form>", report_views.report_file, name="report_file"),
    path("reports/<uuid:report_id>/send", report_views.release_report, name="release_report"),
    path("reports/<uuid:report_id>/withdraw", report_views.withdraw_report, name="withdraw_report"),
    path("reports/<uuid:report_id>/ask", report_views.ask_about_report, name="ask_about_report"),
    path("statistics/", statistics_views.statistics, name="statistics"),
    path("statistics/<slug:slug>.csv", statistics_views.table, name="statistic"),
    path("models/<uuid:model_id>/threshold/", rate_views.threshold, name="threshold"),
    path("models/<uuid:model_id>/threshold/choose", rate_views.choose_threshold, name="choose_threshold"),
    path("models/<uuid:model_id>/threshold/calibrate", rate_views.recalibrate, name="recalibrate"),
    path("models/<uuid:model_id>/comparison/", rate_views.comparison, name="comparison"),
    path("models/<uuid:model_id>/drift/", rate_views.drift, name="drift"),
    path("triage/plain/", plain_views.triage_plain, name="triage_plain"),
    path("triage/next", triage_views.triage_next, name="triage_next"),
    path("triage/answers", triage_views.triage_answers, name="triage_answers"),
    path("triage/keys/", aside_views.triage_settings, name="triage_settings"),
    path("triage/deferrals", aside_views.triage_deferrals, name="triage_deferrals"),
    path("triage/frame", aside_views.triage_frame, name="triage_frame"),
    path("triage/frame/reject", aside_views.triage_reject_frame, name="triage_reject_frame"),
    path("triage/frame/take-back", aside_views.triage_take_back_frame, name="triage_take_back_frame"),
    path("triage/said", triage_views.triage_said, name="triage_said"),
    path("triage/worker.js", triage_views.triage_worker, name="triage_worker"),
    path("triage/away", triage_views.triage_away, name="triage_away"),
    path("triage/presence", triage_views.triage_presence, name="triage_presence"),
    path("triage/release", triage_views.triage_release, name="triage_release"),
]
