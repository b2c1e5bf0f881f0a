"""What models say of candidates, for clients."""

from __future__ import annotations

from catalog.web.rest.filters import AT, FROM_TO, ListFilter
from catalog.web.rest.views import Rows, RowSerializer
from detection.models import CandidateScore


class CandidateScoreSerializer(RowSerializer):
    class Meta:
        model = CandidateScore
        fields = "__all__"


class CandidateScoreFilter(ListFilter):
    class Meta:
        model = CandidateScore
        fields = {"candidate": AT, "model": AT, "model_run": AT, "score": FROM_TO, "created_at": FROM_TO}


class CandidateScores(Rows):
    """What one model says of one candidate, also below the threshold."""

    resource = "candidate-scores"
    queryset = CandidateScore.objects.all()
    serializer_class = CandidateScoreSerializer
    filterset_class = CandidateScoreFilter
