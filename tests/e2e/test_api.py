"""A token made and copied, and the page of the REST interface, in a browser under the site's policy."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.clients import account
from tests.looks import operation
from tests.siteserver import serving_site

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_token_is_made_copied_and_used_and_the_interface_can_be_tried(page: Page):
    user = account("curator")
    user.set_password("a passphrase 47")
    user.save()
    with serving_site() as site:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site)
        page.goto(f"{site}/profile/")
        page.fill("[name=username]", user.username)
        page.fill("[name=password]", "a passphrase 47")
        page.click("main button")
        page.fill("#token_name", "robot")
        page.get_by_label(re.compile("alerts:read")).check()
        page.get_by_role("button", name="Create token").click()
        page.get_by_role("button", name="Copy").click()
        expect(page.locator("#messages")).to_have_text("The token is copied.")
        text = page.evaluate("navigator.clipboard.readText()")
        headers = {"Authorization": f"Token {text}"}
        assert httpx.get(f"{site}/api/v1/alerts/feed/", headers=headers).json() == {
            "results": [], "next_since": "", "numbering": None, "latest": 0, "lag": 0,
        }  # fmt: skip
        page.get_by_role("link", name="API documentation").click()
        feed = operation(page, "alerts-alerts_feed")
        feed.locator(".opblock-summary-control").click()
        feed.get_by_role("button", name="Try it out").click()
        feed.get_by_role("button", name="Execute").click()
        expect(feed.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
        page.goto("about:blank")
