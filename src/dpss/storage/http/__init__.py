"""Files behind HTTP: requests, retries, downloads."""
