"""E-mail that the site sends: whether it can, and one letter handed to the mail server."""

from __future__ import annotations

from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from catalog.files.posting import POST_SECONDS


def can_send_mail() -> bool:
    """Tell whether the site was told how to send e-mail, and from whom."""
    return bool(settings.ASTRID_SENDS_MAIL and settings.ASTRID_MAIL_FROM)


def hand_over(mail: EmailMessage) -> str:
    """Hand a letter to the mail server; return why it did not take it, "" where it did. It may take a while."""
    mail.connection = get_connection(timeout=POST_SECONDS)
    try:
        mail.send()
    except (SMTPException, OSError, ValueError) as failure:
        return f"The mail server did not take it: {failure}."
    return ""
