"""What is done again and again, and how often: the table of Celery's clock; and how long work may wait."""

from __future__ import annotations

from collections.abc import Iterable

from environ import Env


def beat_of(queues: Iterable[str]) -> dict[str, object]:
    """Return what is sent when, in seconds; what nobody took up until it expires is thrown away."""
    return {
        "wake workers": _every(2.0, "catalog.relay", expires=4.0),
        "take back lost work": _every(5.0, "catalog.sweep", expires=10.0),
        # Behind a night of uploads it may stand in line for some seconds, and must not be thrown away meanwhile.
        "publish": _every(2.0, "curation.publish", expires=60.0),
        "write packets": _every(5.0, "curation.write_packets", expires=60.0),
        "order deliveries": _every(2.0, "curation.order_deliveries", expires=60.0),
        "mail links": _every(5.0, "catalog.mail_links", queue="deliveries", expires=10.0),
        "tidy deliveries": _every(60.0, "curation.tidy_deliveries", expires=120.0),
        "order reports": _every(10.0, "curation.order_reports", expires=60.0),
        "put back": _every(30.0, "curation.put_back_lapsed", expires=60.0),
        "refresh what is known": _every(3600.0, "detection.refresh"),
        "recalibrate": _every(3600.0, "curation.recalibrate"),
        "end the injected": _every(3600.0, "curation.end_injected"),
        "seal the audit log": _every(5.0, "catalog.seal", expires=10.0),
        "seal what came late": _every(3600.0, "catalog.seal", True),
        "remove what is old": _every(10.0, "catalog.retain", expires=20.0),
        "mail alarms": _every(60.0, "astrid_site.mail_alarms", expires=60.0),
        "note the disk's use": _every(3600.0, "astrid_site.note_disk_use", expires=600.0),
        "archives": _every(5.0, "observations.archives", expires=10.0),
        # By those who fetch, whose disk it lies on.
        "clear away": _every(3600.0, "observations.clear_away", queue="downloads", expires=600.0),
        "new files": _every(5.0, "observations.watch", expires=10.0),
        **{f"probe {queue}": _every(15.0, "catalog.probe", queue, queue=queue, expires=60.0) for queue in queues},
    }


def waits_of(env: Env, longest: float) -> dict[str, float]:
    """Return the seconds after which it is not well that a job of a queue waits; `longest` is what one may take."""
    return {
        "pipeline": env.float("ASTRID_HEALTH_PIPELINE_SECONDS", default=900.0),
        "light": env.float("ASTRID_HEALTH_LIGHT_SECONDS", default=60.0),
        "downloads": env.float("ASTRID_HEALTH_DOWNLOADS_SECONDS", default=longest),
        # Among many slow receivers each has its turn.
        "deliveries": env.float("ASTRID_HEALTH_DELIVERIES_SECONDS", default=60.0),
        "training": env.float("ASTRID_HEALTH_TRAINING_SECONDS", default=longest),
    }


def _every(seconds: float, task: str, *args: object, queue: str = "light", expires: float | None = None) -> object:
    options = {"queue": queue} | ({} if expires is None else {"expires": expires})
    return {"task": task, "schedule": seconds, "args": args, "options": options}
