"""Earlier names of `dpss.storage.redaction`."""

from dpss.storage.redaction import redact_line as shown_text
from dpss.storage.redaction import redact_url as shown_address

__all__ = ["shown_address", "shown_text"]
