"""What the admin's menu calls its pages, for the pages themselves."""

from __future__ import annotations

from django import template

from astrid_site.site.admin_pages import title_of

register = template.Library()


@register.filter
def as_in_menu(title: object, address: object) -> object:
    """Return what the menu calls the list at an address; the title itself of whatever stands in no menu."""
    return title_of(str(address)) or title
