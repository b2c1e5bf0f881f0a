"""S3 and what speaks like it as the shared storage, with the hash of each object beside it.

Loaded only where ASTRID_STORAGE names a bucket.
"""

from __future__ import annotations

from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from storages.backends.s3 import S3Storage
from storages.utils import clean_name

# An answer that takes longer is asked for again; the job goes on waiting after the last try.
_CONNECT_SECONDS, _READ_SECONDS, _TRIES = 10, 60, 4
_NOT_FOUND, _INSUFFICIENT_STORAGE = 404, 507


class ProductStorage(S3Storage):
    """Objects carry the SHA-256 of their content, by which a machine knows whether its copy is the present one."""

    keeps_hashes = True
    faults = (BotoCoreError, ClientError, Boto3Error)
    client_config: Config

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        ours: dict[str, object] = {
            "connect_timeout": _CONNECT_SECONDS,
            "read_timeout": _READ_SECONDS,
            "retries": {"total_max_attempts": _TRIES, "mode": "standard"},
        }
        if self.endpoint_url:
            # Many servers other than Amazon's refuse the checksums that botocore adds by itself.
            ours |= {"request_checksum_calculation": "when_required", "response_checksum_validation": "when_required"}
        self.client_config = self.client_config.merge(Config(**ours))
        self._is_bucket_known = False

    def version(self, name: str) -> str | None:
        """Return what tells one content of an object from another, None where there is none."""
        # The bucket's client serves all threads; `connection` would make one for each, and so for each request.
        client, key = self.bucket.meta.client, self._normalize_name(clean_name(name))
        try:
            head = client.head_object(Bucket=self.bucket_name, Key=key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != _NOT_FOUND:
                raise
            if not self._is_bucket_known:
                # A bucket that is not there must not look like one without the object.
                client.head_bucket(Bucket=self.bucket_name)
                self._is_bucket_known = True
            return None
        digest = head["Metadata"].get("sha256")
        return f"sha256:{digest}" if digest else f"{head['ETag']} {head['ContentLength']}"

    def is_full(self, error: Exception) -> bool:
        """Tell whether the storage refused for lack of space."""
        if not isinstance(error, ClientError):
            return False
        code = error.response.get("Error", {}).get("Code", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return status == _INSUFFICIENT_STORAGE or "QuotaExceeded" in code or "StorageFull" in code

    def _get_write_parameters(self, name: str, content: object = None) -> dict[str, object]:
        parameters = super()._get_write_parameters(name, content)
        digest = getattr(content, "sha256", None)
        if digest:
            parameters["Metadata"] = {**parameters.get("Metadata", {}), "sha256": digest}
        return parameters
