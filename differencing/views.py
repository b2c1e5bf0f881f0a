"""Pages of one subtraction: its images, its candidates, and what it was made with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Abs
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import quote_etag
from django.views.decorators.http import require_safe

from catalog.configuration.values import snapshot
from catalog.models import RunStatus, Visitor
from catalog.retention.words import removed_words
from catalog.roles import MAY_JUDGE
from catalog.web.access import requires
from catalog.web.parts import Place, render_part
from catalog.web.related import leave_out_hidden
from catalog.writing import number, signed
from differencing.judges import rules
from differencing.models import Candidate, DifferenceRun
from differencing.pictures import images, tiles
from differencing.pictures.put_in import Put
from observations.models import Observation

# Of one run, the most significant; of one frame, the newest.
_MOST_CANDIDATES, _MOST_RUNS = 200, 50
_LONG = ("header", "facts", "footprint")


@requires("differencing.view_differencerun", "differencing.view_candidate")
def difference(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Show one subtraction: the four images with the candidates over them, its facts, and a table of candidates."""
    run = get_object_or_404(_with_frames(DifferenceRun.objects.visible_to(request.user)), pk=run_id)
    leave_out_hidden([run], request.user)
    _count_given([run], request.user)
    every = Candidate.with_injected.visible_to(request.user).filter(difference_run=run)
    found = every.filter(Q(is_injected=False) | Q(pk__in=rules().given(request.user)))
    shown = list(found.order_by(Abs("significance").desc(nulls_last=True), "id")[: _MOST_CANDIDATES + 1])
    candidates = shown[:_MOST_CANDIDATES]
    # Whoever comes from one finds it here, however faint it is.
    candidates += [one for one in _wanted(request, every) if one not in candidates]
    candidates.sort(key=lambda one: (-abs(one.significance or 0.0), one.pk))
    rules().cover(candidates, request.user)
    layout = images.layout_of(run)
    for candidate in candidates:
        candidate.spoken = _spoken(candidate)
        if layout is not None:
            candidate.left, candidate.top = candidate.pixel_x + 0.5, layout.height - candidate.pixel_y - 0.5
    context = {
        "run": run,
        "layout": layout,
        "kinds": images.KINDS,
        "removed": removed_words(run) if layout is None else "",
        "pyramid": tiles.pyramid_of(run, rules().put_into(run, request.user)) if layout is not None else None,
        "is_injecting": request.user.has_perm(MAY_JUDGE) and bool(snapshot()["curation.fake_share"]),
        "candidates": candidates,
        "is_cut": len(shown) > _MOST_CANDIDATES,
        "has_lost_some": not shown and bool(run.candidates_found),
        "members": _members(run, request.user),
        "flux_scale_median": run.parameters.get("diagnostics", {}).get("flux_scale_median"),
        "parameters": [(name, value) for name, value in _flat(run.parameters) if not name.startswith("diagnostics.")],
        "is_open": run.status in (RunStatus.PENDING, RunStatus.RUNNING),
    }
    return render(request, "differencing/difference.html", context)


@requires("differencing.view_differencerun")
def picture(request: HttpRequest, run_id: UUID, kind: str) -> HttpResponse:
    """Answer with one image of a subtraction as a PNG of at most 2048 pixels on a side."""
    run = get_object_or_404(DifferenceRun.objects.visible_to(request.user), pk=run_id)
    version = images.version_of(run, kind) if kind in images.KINDS else None
    if version is None:
        raise Http404("There is no such image of this difference.")
    put = rules().put_into(run, request.user)
    # A repeated run may write another under the same name: kept, and asked for again each time.
    headers = {"ETag": quote_etag(images.shown_version(version, put)), "Cache-Control": "private, no-cache"}
    answer = get_conditional_response(request, etag=headers["ETag"])
    if answer is None:
        content = images.picture(run, kind, version, put)
        if content is None:
            raise Http404("This image of the difference cannot be read.")
        answer = HttpResponse(content, content_type="image/png")
    for name, value in headers.items():
        answer.headers[name] = value
    return answer


@requires("differencing.view_differencerun")
@require_safe
def tile(request: HttpRequest, run_id: UUID, kind: str, level: int, column: int, row: int) -> HttpResponse:
    """Send 256 x 256 pixels of an image at a level, packed for pages; tiles count from the first pixel."""
    run = get_object_or_404(DifferenceRun.objects.visible_to(request.user), pk=run_id)
    put = rules().put_into(run, request.user)

    def content(version: str) -> bytes | None:
        return tiles.tile(run, kind, version, (level, column, row), put) if kind in images.KINDS else None

    return _packed(request, run, content, put)


@requires("differencing.view_differencerun")
@require_safe
def sample(request: HttpRequest, run_id: UUID, level: int) -> HttpResponse:
    """Send some pixels of the images at a level, from which a page makes its greys."""
    run = get_object_or_404(DifferenceRun.objects.visible_to(request.user), pk=run_id)
    put = rules().put_into(run, request.user)
    return _packed(request, run, lambda version: tiles.sample(run, version, level), put)


def _packed(
    request: HttpRequest, run: DifferenceRun, content: Callable[[str], bytes | None], put: Sequence[Put]
) -> HttpResponse:
    """Answer with pixels; browsers keep them for ever where the address names the version that is there."""
    stored, version = tiles.version_of(run), tiles.version_of(run, put)
    if stored is None or version is None:
        raise Http404("The images of this difference are gone.")
    is_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
    etag = quote_etag(f"{version}{'-gzip' if is_gzip else ''}")
    answer = get_conditional_response(request, etag=etag)
    if answer is None:
        body = content(stored)
        if body is None:
            raise Http404("There are no such pixels.")
        answer = HttpResponse(tiles.compressed(body) if is_gzip else body, content_type="application/octet-stream")
        if is_gzip:
            answer["Content-Encoding"] = "gzip"
    is_named = request.GET.get("version") == version
    answer["ETag"] = etag
    answer["Cache-Control"] = "private, max-age=31536000, immutable" if is_named else "private, no-cache"
    patch_vary_headers(answer, ["Accept-Encoding"])
    return answer


@requires("differencing.view_differencerun")
def runs_of(request: HttpRequest, observation_id: UUID) -> HttpResponse:
    """Answer with a part of a page: the subtractions of one frame, the newest first."""
    frame = get_object_or_404(Observation.objects.visible_to(request.user).only("pk"), pk=observation_id)
    rows = DifferenceRun.objects.visible_to(request.user).filter(observation=frame).defer("parameters")
    shown = list(rows.select_related("reference").order_by("-created_at", "-id")[: _MOST_RUNS + 1])
    _count_given(shown, request.user)
    context = {"runs": shown[:_MOST_RUNS], "is_cut": len(shown) > _MOST_RUNS, "here": request.GET.get("here", "")}
    place = Place("Differences", "Frame", reverse("observations:observation", args=[observation_id]))
    return render_part(request, "differencing/_runs.html", context, place)


def _count_given(runs: Sequence[DifferenceRun], user: Visitor) -> None:
    """Count what a person was given with the candidates of runs, which are shown and never saved."""
    keys = [run.pk for run in runs]
    given = Counter(rules().given(user).filter(difference_run__in=keys).values_list("difference_run", flat=True))
    for run in runs:
        if run.candidates_found is not None:
            run.candidates_found += given[run.pk]


def _spoken(candidate: Candidate) -> str:
    """Return what a mark over the images says to those who do not see it, and what is shown when it is chosen."""
    return ", ".join(
        [
            f"{signed(candidate.significance)} sigma",
            candidate.get_status_display().lower(),
            *(flag.meaning for flag in candidate.flags),
            f"signal to noise {signed(candidate.snr)}",
            f"pixel {number(candidate.pixel_x, 1)}, {number(candidate.pixel_y, 1)}",
        ]
    )


def _wanted(request: HttpRequest, found: QuerySet[Candidate]) -> QuerySet[Candidate]:
    """Return the candidate that the address names, if it does."""
    try:
        return found.filter(pk=UUID(request.GET.get("candidate", "")))
    except ValueError:
        return found.none()


def _with_frames(rows: QuerySet[DifferenceRun]) -> QuerySet[DifferenceRun]:
    """Load the frames of a run with it, without their headers."""
    frames = ("observation", "reference_observation")
    related = rows.select_related("observation__field", "reference_observation", "reference")
    return related.defer(*(f"{frame}__{name}" for frame in frames for name in _LONG))


def _members(run: DifferenceRun, user: Visitor) -> list[Observation]:
    """Return the frames that the reference is made of, in order of time."""
    if run.reference_id is None:
        return []
    rows = Observation.objects.visible_to(user).filter(references=run.reference_id)
    return list(rows.only("original_name", "observation_id", "night", "observation_time").order_by("mjd_utc"))


def _flat(parameters: dict[str, object], before: str = "") -> Iterable[tuple[str, object]]:
    """Yield names with dots and values of nested parameters."""
    for name, value in parameters.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value
