"""What narrows the lists of pages, as people read it."""

from __future__ import annotations

import re

import pytest

from tests.browsers import staff_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("page", ["detections", "sources", "alerts", "observations", "jobs", "audit", "triage"])
def test_a_choice_that_is_not_made_says_any(page: str):
    html = staff_of("administrator").get(f"/{page}/").content.decode()
    assert 'class="filters"' in html
    assert set(re.findall(r'<option value=""[^>]*>([^<]*)</option>', html)) <= {"Any"}
