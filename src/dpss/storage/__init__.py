"""Sources and stores of bytes: folders, HTTP, S3, archives, scratch space."""
