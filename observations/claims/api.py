"""Doubts about frames and profiles of instruments, for clients."""

from __future__ import annotations

from collections.abc import Callable

from django_filters import BooleanFilter
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.failures import NotPossible
from catalog.people.actors import actor_of
from catalog.web.filters import AT, ONE_OF, ListFilter
from catalog.web.rest.fields import Input, Text
from catalog.web.rest.problems import Problem
from catalog.web.rest.rows import RowSerializer
from catalog.web.rest.views import RowViewSet
from observations.claims import doubts
from observations.models import Doubt, InstrumentProfile


class DoubtSerializer(RowSerializer):
    class Meta:
        model = Doubt
        fields = "__all__"


class DoubtFilter(ListFilter):
    is_settled = BooleanFilter(field_name="settled_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Doubt
        fields = {
            "observation": AT, "origin": ONE_OF, "code": ONE_OF, "fact": ONE_OF, "blocks_publication": AT,
        }  # fmt: skip


class SettlingSerializer(Input):
    """Why a doubt is settled."""

    note = Text(required=False, max_length=500, help_text="Kept with the doubt and in the audit log.")


class DoubtViewSet(RowViewSet):
    """What is in doubt about frames; those that block publication hold alerts back until they are settled."""

    resource = "doubts"
    queryset = Doubt.objects.all()
    serializer_class = DoubtSerializer
    filterset_class = DoubtFilter

    @extend_schema(request=SettlingSerializer)
    @action(detail=True, methods=["post"])
    def settle(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Settle a doubt: the claim is right, or wrong without consequence; 409 where it is settled."""
        form = SettlingSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        note = form.validated_data.get("note", "")
        return self._changed(lambda row: doubts.settle(row, note, actor_of(request._request)))

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Take back that a doubt is settled; 409 where it is not."""
        return self._changed(lambda row: doubts.reopen(row, actor_of(request._request)))

    def _changed(self, change: Callable[[Doubt], Doubt]) -> Response:
        try:
            row = change(self.get_object())
        except NotPossible as refusal:
            raise Problem(409, "not_possible", str(refusal)) from refusal
        return Response(self.get_serializer(row).data)


class InstrumentProfileSerializer(RowSerializer):
    class Meta:
        model = InstrumentProfile
        fields = "__all__"


class InstrumentProfileFilter(ListFilter):
    class Meta:
        model = InstrumentProfile
        fields = {"name": AT, "is_active": AT}


class InstrumentProfileViewSet(RowViewSet):
    """What is known of instruments better than their headers say."""

    resource = "instrument-profiles"
    queryset = InstrumentProfile.objects.all()
    serializer_class = InstrumentProfileSerializer
    filterset_class = InstrumentProfileFilter
