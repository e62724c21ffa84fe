"""Objects and buckets on S3."""
