from django.db import migrations, models

from catalog.encrypting import SecretUnreadable, decrypted, encrypted

PURPOSE = "webhooks"


def encrypt(apps, schema_editor):
    for row in apps.get_model("curation", "SigningSecret").objects.all():
        row.encrypted = encrypted(row.encrypted, PURPOSE)
        row.save(update_fields=["encrypted"])


def decrypt(apps, schema_editor):
    for row in apps.get_model("curation", "SigningSecret").objects.all():
        try:
            row.encrypted = decrypted(row.encrypted, PURPOSE)
        except SecretUnreadable as error:
            raise SecretUnreadable(
                f"{error} Name the former key in SECRET_KEY_FALLBACKS, or make a new secret for subscription "
                f"{row.subscription_id} and delete its former one, before going back."
            ) from error
        row.save(update_fields=["encrypted"])


class Migration(migrations.Migration):
    dependencies = [("curation", "0023_reports")]

    operations = [
        migrations.RenameField(model_name="signingsecret", old_name="secret", new_name="encrypted"),
        migrations.AlterField(
            model_name="signingsecret",
            name="encrypted",
            field=models.TextField(help_text="With a key made of SECRET_KEY."),
        ),
        migrations.RunPython(encrypt, decrypt),
    ]
