"""A server that speaks S3, in a thread of the tests, and buckets in it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
from django.core.files.storage import storages
from moto.server import ThreadedMotoServer

KEYS = {"access_key": "testing", "secret_key": "testing", "region_name": "us-east-1"}


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Serve S3 on this machine; give its address."""
    # One line for each request would bury what a failed test has to say.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()
    assert server._server is not None
    server._server.server_close()


@pytest.fixture(scope="session")
def s3_client(s3_server: str) -> Iterator[Any]:
    """A client with which a test looks into buckets by itself."""
    client = boto3.client(
        "s3",
        endpoint_url=s3_server,
        aws_access_key_id=KEYS["access_key"],
        aws_secret_access_key=KEYS["secret_key"],
        region_name=KEYS["region_name"],
    )
    yield client
    client.close()


@pytest.fixture
def bucket(s3_client: Any) -> str:
    """Return the name of an empty bucket."""
    name = f"products-{uuid4().hex[:12]}"
    s3_client.create_bucket(Bucket=name)
    return name


@pytest.fixture
def s3_address(s3_server: str, bucket: str) -> Iterator[str]:
    """Return what ASTRID_STORAGE would say to keep products in the bucket."""
    options = "&".join(f"{name}={value}" for name, value in {**KEYS, "endpoint_url": s3_server}.items())
    yield f"s3://{bucket}/night/products?{options}"
    for store in storages._storages.values():
        if hasattr(store, "connection"):
            store.connection.meta.client.close()
