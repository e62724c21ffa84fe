"""Where bytes come from and go to: folders, HTTP, S3, archives, scratch space."""
