"""Whether the admin opens follows from the role: there is no switch beside it. Administrators lift locks of the log-in."""

from django.db import migrations
from django.db.models import Q

from catalog.roles import grant


def give_new_permissions(apps, schema_editor):
    grant(apps)


def set_the_switch(apps, schema_editor):
    users = apps.get_model("catalog", "User").objects
    in_charge = Q(is_superuser=True) | Q(groups__name__in=("operator", "administrator"))
    keys = list(users.filter(in_charge).values_list("pk", flat=True))
    users.filter(pk__in=keys).update(is_staff=True)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0007_jobs_by_start")]

    operations = [
        migrations.RunPython(give_new_permissions, set_the_switch),
        migrations.RemoveField("user", "is_staff"),
    ]
