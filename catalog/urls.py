"""Jobs, the audit log, and one's own profile."""

from django.urls import path

from catalog import views
from catalog.web import profile

app_name = "catalog"
urlpatterns = [
    path("jobs/", views.jobs, name="jobs"),
    path("jobs/<uuid:job_id>/", views.job, name="job"),
    path("jobs/<uuid:job_id>/retry/", views.retry, name="retry_job"),
    path("jobs/<uuid:job_id>/cancel/", views.cancel, name="cancel_job"),
    path("audit/", views.audit_log, name="audit"),
    path("profile/", profile.profile, name="profile"),
    path("profile/password/", profile.change_password, name="change_password"),
    path("profile/tokens/", profile.make_token, name="make_token"),
    path("profile/tokens/<uuid:key>/revoke/", profile.revoke_token, name="revoke_token"),
]
