"""What ASTRID_STORAGE says, as Django wants it in STORAGES."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from django.core.exceptions import ImproperlyConfigured

_S3 = "catalog.files.s3.ProductStorage"
# A file larger than this is fetched by way of the folder for temporary files, not of memory.
_MOST_BYTES_IN_MEMORY = 64 * 2**20
_FLAGS = {"true": True, "false": False}


def django_storage(address: str, s3_endpoint_url: str = "") -> dict[str, object]:
    """Return backend and options for `s3://bucket/prefix` or `package.module.Class`, options after a question mark.

    An option is one of the class's own, as in `?addressing_style=path` or `?allow_overwrite=true`.
    """
    parts = urlsplit(address)
    options: dict[str, object] = {name: _FLAGS.get(value, value) for name, value in parse_qsl(parts.query)}
    if parts.scheme == "s3" and parts.netloc:
        place = {"bucket_name": parts.netloc, "location": parts.path.strip("/")}
        endpoint = {"endpoint_url": s3_endpoint_url} if s3_endpoint_url else {}
        return {"BACKEND": _S3, "OPTIONS": {"max_memory_size": _MOST_BYTES_IN_MEMORY, **endpoint, **options, **place}}
    if not parts.scheme and not parts.netloc and all(name.isidentifier() for name in parts.path.split(".")):
        return {"BACKEND": parts.path, "OPTIONS": options}
    raise ImproperlyConfigured(
        f"ASTRID_STORAGE={address} is neither s3://bucket/prefix nor the dotted name of a Django storage class: see "
        "docs/deploy.md."
    )
