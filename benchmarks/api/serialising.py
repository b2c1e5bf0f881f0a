"""How many alerts become JSON in a second: as the list answers them, and by the plain serializers of REST framework."""

from __future__ import annotations

import time
from collections.abc import Callable

from rest_framework.renderers import JSONRenderer
from rest_framework.serializers import ModelSerializer
from rest_framework.test import APIRequestFactory, force_authenticate

from catalog.models import User
from curation.alerts.api import AlertSerializer, AlertViewSet
from curation.models import Alert

PAGE, REPEATS = 1000, 15


class _Plain(ModelSerializer[Alert]):
    class Meta:
        model = Alert
        fields = AlertSerializer.Meta.fields


def rates() -> tuple[float, float]:
    """Return alerts a second, read from the database and written as JSON: ours, and plain."""
    request = APIRequestFactory().get("/", {"page_size": PAGE})
    force_authenticate(request, User.objects.get(username="administrator"))

    def ours() -> object:
        view = AlertViewSet(action_map={"get": "list"}, format_kwarg=None)
        view.request = view.initialize_request(request)
        view.request.accepted_renderer = view.get_renderers()[0]
        rows = view.paginate_queryset(view.get_queryset().order_by())
        return view.request.accepted_renderer.render(view.get_serializer(rows, many=True).data)

    def plain() -> object:
        rows = Alert.objects.order_by("-created_at", "-id")[:PAGE]
        return JSONRenderer().render(_Plain(rows, many=True).data)

    return _rate(ours), _rate(plain)


def _rate(make: Callable[[], object]) -> float:
    """Return rows a second of the processor's time of this process, the best of several."""
    make()
    times = []
    for _ in range(REPEATS):
        begun = time.process_time()
        make()
        times.append(time.process_time() - begun)
    return PAGE / min(times)
