"""Known bodies of the Solar System in frames, and the orbits that tell of them, for clients."""

from __future__ import annotations

from catalog.web.filters import AT, FROM_TO, ONE_OF, ConeFilter, ListFilter
from catalog.web.rest.rows import RowSerializer
from catalog.web.rest.views import RowViewSet
from detection.models import KnownObject, KnownObjectSearch, OrbitSet


class OrbitSetSerializer(RowSerializer):
    class Meta:
        model = OrbitSet
        fields = "__all__"


class OrbitSetFilter(ListFilter):
    class Meta:
        model = OrbitSet
        fields = {"name": ONE_OF, "is_complete": AT, "orbits_at": FROM_TO, "created_at": FROM_TO}


class OrbitSetViewSet(RowViewSet):
    """Which orbits of the Solar System are loaded, and how new they are."""

    resource = "orbit-sets"
    queryset = OrbitSet.objects.all()
    serializer_class = OrbitSetSerializer
    filterset_class = OrbitSetFilter


class KnownObjectSearchSerializer(RowSerializer):
    class Meta:
        model = KnownObjectSearch
        fields = "__all__"


class KnownObjectSearchFilter(ListFilter):
    class Meta:
        model = KnownObjectSearch
        fields = {"observation": ONE_OF, "outcome": ONE_OF, "orbits_at": FROM_TO, "searched_at": FROM_TO}


class KnownObjectSearchViewSet(RowViewSet):
    """For which frames known bodies were computed, by which orbits, or why they could not be."""

    resource = "known-object-searches"
    queryset = KnownObjectSearch.objects.all()
    serializer_class = KnownObjectSearchSerializer
    filterset_class = KnownObjectSearchFilter


class KnownObjectSerializer(RowSerializer):
    class Meta:
        model = KnownObject
        exclude = ("healpix",)


class KnownObjectFilter(ListFilter):
    cone = ConeFilter()

    class Meta:
        model = KnownObject
        fields = {
            "observation": ONE_OF, "designation": ONE_OF, "is_comet": AT, "predicted_mag": FROM_TO,
            "created_at": FROM_TO,
        }  # fmt: skip


class KnownObjectViewSet(RowViewSet):
    """Where known asteroids and comets were in the middle of each exposure, as seen from its site."""

    resource = "known-objects"
    queryset = KnownObject.objects.all()
    serializer_class = KnownObjectSerializer
    filterset_class = KnownObjectFilter
