variable "bucket" {
  description = "Name of the bucket."
  type        = string
}

variable "create" {
  description = "Make the bucket; false: it is there and stays as it is."
  type        = bool
}

variable "name" {
  description = "Name of what else is made."
  type        = string
}

variable "figures_prefix" {
  description = "Prefix that CloudFront shows."
  type        = string
}

variable "serve_pages" {
  description = "Put CloudFront before the prefix."
  type        = bool
}

variable "force_destroy" {
  description = "Whether destroying deletes what is in the bucket."
  type        = bool
}

data "aws_partition" "current" {
  lifecycle {
    precondition {
      condition     = var.create || !var.serve_pages
      error_message = "serve_pages needs a bucket made here: the policy of an existing one isn't ours to change."
    }
  }
}

locals {
  pages = var.serve_pages && var.create ? 1 : 0
  arn   = "arn:${data.aws_partition.current.partition}:s3:::${var.bucket}"
}

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_18:Access logs of a bucket of public figures tell nothing that CloudTrail does not.
  #checkov:skip=CKV_AWS_144:Everything in it is computed again from the portal in one run; a second region is not worth its price.
  #checkov:skip=CKV_AWS_145:Public figures from public data; AES256 by AWS is enough.
  #checkov:skip=CKV2_AWS_62:Nothing waits for single objects.
  count         = var.create ? 1 : 0
  bucket        = var.bucket
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_versioning" "this" {
  count  = var.create ? 1 : 0
  bucket = aws_s3_bucket.this[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  count  = var.create ? 1 : 0
  bucket = aws_s3_bucket.this[0].id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  count                   = var.create ? 1 : 0
  bucket                  = aws_s3_bucket.this[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  count  = var.create ? 1 : 0
  bucket = aws_s3_bucket.this[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  count  = var.create ? 1 : 0
  bucket = aws_s3_bucket.this[0].id

  rule {
    id     = "old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 30
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 3
    }

    expiration {
      expired_object_delete_marker = true
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

data "aws_iam_policy_document" "bucket" {
  count = var.create ? 1 : 0

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [local.arn, "${local.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  dynamic "statement" {
    for_each = aws_cloudfront_distribution.pages
    content {
      sid       = "PagesThroughCloudFront"
      actions   = ["s3:GetObject"]
      resources = ["${local.arn}/${var.figures_prefix}*"]

      principals {
        type        = "Service"
        identifiers = ["cloudfront.amazonaws.com"]
      }

      condition {
        test     = "StringEquals"
        variable = "aws:SourceArn"
        values   = [statement.value.arn]
      }
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  count      = var.create ? 1 : 0
  bucket     = aws_s3_bucket.this[0].id
  policy     = data.aws_iam_policy_document.bucket[0].json
  depends_on = [aws_s3_bucket_public_access_block.this]
}

# The pages, if asked for: CloudFront alone may read the prefix, and only read.

resource "aws_cloudfront_origin_access_control" "pages" {
  count                             = local.pages
  name                              = var.name
  description                       = "Pages of ${var.name}"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

resource "aws_cloudfront_distribution" "pages" {
  #checkov:skip=CKV_AWS_68:Static public files: there is nothing behind them that a firewall would protect.
  #checkov:skip=CKV2_AWS_47:No firewall before static public files.
  #checkov:skip=CKV_AWS_86:Access logs of public pages would hold visitors' addresses for no use.
  #checkov:skip=CKV_AWS_174:The certificate of *.cloudfront.net decides the TLS version; an own domain brings its own.
  #checkov:skip=CKV2_AWS_42:No domain of its own, so no certificate of its own.
  #checkov:skip=CKV_AWS_310:One origin; when S3 of a region is away the pages are, until it is back.
  #checkov:skip=CKV_AWS_374:Public pages for the whole world.
  #checkov:skip=CKV2_AWS_32:AWS's own SecurityHeadersPolicy is set, by its number.
  count               = local.pages
  comment             = "Pages of ${var.name}"
  enabled             = true
  is_ipv6_enabled     = true
  default_root_object = "index.html"
  price_class         = "PriceClass_100"
  http_version        = "http2and3"

  origin {
    origin_id                = "figures"
    domain_name              = aws_s3_bucket.this[0].bucket_regional_domain_name
    origin_path              = "/${trimsuffix(var.figures_prefix, "/")}"
    origin_access_control_id = aws_cloudfront_origin_access_control.pages[0].id
  }

  default_cache_behavior {
    target_origin_id       = "figures"
    viewer_protocol_policy = "redirect-to-https"
    allowed_methods        = ["GET", "HEAD"]
    cached_methods         = ["GET", "HEAD"]
    compress               = true

    # AWS's CachingOptimized, which obeys the objects' Cache-Control, and SecurityHeadersPolicy.
    cache_policy_id            = "658327ea-f89d-4fab-a63d-7e88639e58f6"
    response_headers_policy_id = "67f7725c-6f97-4210-82d7-5512b31e9d03"
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = true
  }
}

output "arn" {
  description = "ARN of the bucket."
  value       = local.arn
}

output "pages_url" {
  description = "Address of the pages, or null."
  value       = one([for pages in aws_cloudfront_distribution.pages : "https://${pages.domain_name}/"])
}

output "cloudfront_arns" {
  description = "The distribution and its access control; none without serve_pages."
  value       = concat(aws_cloudfront_distribution.pages[*].arn, aws_cloudfront_origin_access_control.pages[*].arn)
}
