"""Jobs, the audit log, and one's own profile."""

from django.urls import path

from catalog.people import views as people_views
from catalog.work import views as work_views

app_name = "catalog"
urlpatterns = [
    path("jobs/", work_views.jobs, name="jobs"),
    path("jobs/<uuid:job_id>/", work_views.job, name="job"),
    path("jobs/<uuid:job_id>/retry/", work_views.retry, name="retry_job"),
    path("jobs/<uuid:job_id>/cancel/", work_views.cancel, name="cancel_job"),
    path("audit/", people_views.audit_log, name="audit"),
    path("profile/", people_views.profile, name="profile"),
    path("profile/password/", people_views.change_password, name="change_password"),
    path("profile/tokens/", people_views.make_token, name="make_token"),
    path("profile/tokens/<uuid:key>/revoke/", people_views.revoke_token, name="revoke_token"),
]
