"""Reports to the services that name objects, with what was answered; who may report."""

import catalog.ids
import django.db.models.deletion
import observations.sky
from django.conf import settings
from django.db import migrations, models

from catalog.roles import grant


def give(apps, schema_editor):
    grant(apps)


class Migration(migrations.Migration):

    dependencies = [
        ('curation', '0022_kafka'),
        ('detection', '0021_light_curves'),
        ('differencing', '0011_imported_alerts'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Report',
            fields=[
                ('id', models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('service', models.CharField(choices=[('mpc', 'Minor Planet Center'), ('tns', 'Transient Name Server')], max_length=3)),
                ('status', models.CharField(choices=[('prepared', 'prepared'), ('unknown', 'unknown: asked again'), ('sent', 'sent'), ('received', 'received'), ('named', 'named'), ('refused', 'refused'), ('withdrawn', 'withdrawn')], default='prepared', max_length=10)),
                ('head', models.JSONField(blank=True, default=dict, help_text='What it says once for all its objects; frozen.')),
                ('station', models.CharField(blank=True, help_text='Code of the observatory, to the MPC.', max_length=4)),
                ('released_at', models.DateTimeField(blank=True, help_text='When it was given free to be sent.', null=True)),
                ('next_try_at', models.DateTimeField(blank=True, help_text='When it is sent or asked about next.', null=True)),
                ('sends', models.PositiveIntegerField(default=0, help_text='Requests that were begun to send it.')),
                ('last_sent_at', models.DateTimeField(blank=True, help_text='When the last of these was begun.', null=True)),
                ('sent_rows', models.JSONField(blank=True, default=list, help_text='Numbers of the objects in that request, in order.')),
                ('reference', models.CharField(blank=True, help_text='What the service calls it.', max_length=100)),
                ('last_code', models.PositiveSmallIntegerField(blank=True, help_text='HTTP status of the last answer.', null=True)),
                ('last_reason', models.TextField(blank=True, help_text="What stands in the way, in the service's words or ours.")),
                ('sent_to', models.CharField(blank=True, help_text='The host it was sent to.', max_length=200)),
                ('sent_at', models.DateTimeField(blank=True, help_text='When the service took it.', null=True)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reports', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='ReportAttempt',
            fields=[
                ('id', models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('kind', models.CharField(choices=[('check', 'asked what is there'), ('send', 'sent'), ('ask', 'asked what became of it')], max_length=5)),
                ('host', models.CharField(max_length=200)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('code', models.PositiveSmallIntegerField(blank=True, help_text='HTTP status; null without an answer.', null=True)),
                ('outcome', models.TextField(blank=True, help_text='What it came to.')),
                ('said', models.TextField(blank=True, help_text="How the answer began, in the service's own words.")),
                ('report', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attempts', to='curation.report')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='ReportRow',
            fields=[
                ('id', models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('ra', models.FloatField(help_text='Right ascension, ICRS degrees.')),
                ('dec', models.FloatField(help_text='Declination, ICRS degrees.')),
                ('healpix', observations.sky.HealpixField()),
                ('number', models.PositiveIntegerField(help_text='Its place in the report, from 0.')),
                ('status', models.CharField(choices=[('prepared', 'prepared'), ('unknown', 'unknown: asked again'), ('sent', 'sent'), ('received', 'received'), ('named', 'named'), ('refused', 'refused'), ('withdrawn', 'withdrawn')], default='prepared', max_length=10)),
                ('internal_name', models.CharField(help_text='Our name for it, to the MPC trkSub: never given twice.', max_length=64, unique=True)),
                ('body', models.JSONField(help_text='What is said of it, as it was when it was prepared; frozen.')),
                ('first_mjd_utc', models.FloatField(help_text='Of its first position.')),
                ('last_mjd_utc', models.FloatField(help_text='Of its last position.')),
                ('neo_score', models.FloatField(blank=True, help_text="digest2's score for a near-Earth object, 0 to 100.", null=True)),
                ('neo_score_lack', models.CharField(blank=True, help_text='Why there is no score.', max_length=200)),
                ('name', models.CharField(blank=True, help_text='Given by the service.', max_length=100)),
                ('reason', models.TextField(blank=True, help_text="Why it was refused, in the service's words or ours.")),
                ('report', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rows', to='curation.report')),
                ('source', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='report_rows', to='detection.source')),
                ('tracklet', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='report_rows', to='differencing.tracklet')),
            ],
            options={
                'ordering': ['report', 'number'],
            },
        ),
        migrations.AddIndex(
            model_name='report',
            index=models.Index(condition=models.Q(('status__in', ('prepared', 'unknown', 'sent', 'received'))), fields=['next_try_at'], name='report_due'),
        ),
        migrations.AddIndex(
            model_name='report',
            index=models.Index(fields=['status', '-id'], name='report_by_status'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.CheckConstraint(condition=models.Q(('service__in', ['mpc', 'tns'])), name='curation_report_service_known', violation_error_message='service must be one of mpc, tns.'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['prepared', 'unknown', 'sent', 'received', 'named', 'refused', 'withdrawn'])), name='curation_report_status_known', violation_error_message='status must be one of prepared, unknown, sent, received, named, refused, withdrawn.'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ('prepared', 'withdrawn', 'refused')), ('sends__gt', 0), _connector='OR'), name='curation_report_sent_was_begun', violation_error_message='What left was begun to be sent.'),
        ),
        migrations.AddConstraint(
            model_name='reportattempt',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['check', 'send', 'ask'])), name='curation_reportattempt_kind_known', violation_error_message='kind must be one of check, send, ask.'),
        ),
        migrations.AddIndex(
            model_name='reportrow',
            index=models.Index(fields=['healpix'], include=('ra', 'dec', 'id'), name='reportrow_sky'),
        ),
        migrations.AddIndex(
            model_name='reportrow',
            index=models.Index(fields=['first_mjd_utc'], name='reportrow_by_time'),
        ),
        migrations.AddConstraint(
            model_name='reportrow',
            constraint=models.CheckConstraint(condition=models.Q(('ra__gte', 0.0), ('ra__lt', 360.0)), name='curation_reportrow_ra_range', violation_error_message='ra must lie in [0, 360) degrees.'),
        ),
        migrations.AddConstraint(
            model_name='reportrow',
            constraint=models.CheckConstraint(condition=models.Q(('dec__gte', -90.0), ('dec__lte', 90.0)), name='curation_reportrow_dec_range', violation_error_message='dec must lie between -90.0 and 90.0.'),
        ),
        migrations.AddConstraint(
            model_name='reportrow',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['prepared', 'unknown', 'sent', 'received', 'named', 'refused', 'withdrawn'])), name='curation_reportrow_status_known', violation_error_message='status must be one of prepared, unknown, sent, received, named, refused, withdrawn.'),
        ),
        migrations.AddConstraint(
            model_name='reportrow',
            constraint=models.CheckConstraint(condition=models.Q(('first_mjd_utc__gt', float("-inf")), ('first_mjd_utc__lt', float("inf"))), name='curation_reportrow_first_mjd_utc_finite', violation_error_message='first_mjd_utc must be a finite number.'),
        ),
        migrations.AddConstraint(
            model_name='reportrow',
            constraint=models.CheckConstraint(condition=models.Q(('last_mjd_utc__gt', float("-inf")), ('last_mjd_utc__lt', float("inf"))), name='curation_reportrow_last_mjd_utc_finite', violation_error_message='last_mjd_utc must be a finite number.'),
        ),
        migrations.AddConstraint(
            model_name='reportrow',
            constraint=models.CheckConstraint(condition=models.Q(('neo_score__gte', 0.0), ('neo_score__lte', 100.0)), name='curation_reportrow_neo_score_range', violation_error_message='neo_score must lie between 0.0 and 100.0.'),
        ),
        migrations.AddConstraint(
            model_name='reportrow',
            constraint=models.UniqueConstraint(fields=('report', 'number'), name='curation_reportrow_once'),
        ),
        migrations.AddConstraint(
            model_name='reportrow',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'named'), _negated=True), models.Q(('name', ''), _negated=True), _connector='OR'), name='curation_reportrow_named_has_a_name', violation_error_message='What is named has a name.'),
        ),
        migrations.AddConstraint(
            model_name='reportrow',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'refused'), _negated=True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='curation_reportrow_refused_says_why', violation_error_message='What is refused has a reason.'),
        ),
        migrations.RunPython(give, migrations.RunPython.noop),
    ]
