"""Files behind HTTP: requests, retries, downloads."""

from dpss.storage.http.client import Client, RetryPolicy
from dpss.storage.http.file import HttpBlob
from dpss.storage.http.networks import networks_beyond, why_not_from

__all__ = [
    "Client",
    "HttpBlob",
    "RetryPolicy",
    "networks_beyond",
    "why_not_from",
]
