# Two roles. ECS uses the one before the program starts: pull that image, open that log. The program
# has the other: read the matrices and the blacklist, write the figures.

data "aws_iam_policy_document" "execution" {
  statement {
    sid       = "LogIn"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"] # this action knows no narrower resource
  }

  statement {
    sid       = "PullThatImage"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = [var.repository_arn]
  }

  statement {
    sid       = "WriteThatLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
  }
}

module "execution_role" {
  source = "../role"

  name        = "${var.name}-execution"
  description = "Starts tasks of ${var.name}: pulls their image, opens their log"
  service     = "ecs-tasks"
  rights      = data.aws_iam_policy_document.execution.json
}

locals {
  s3       = "arn:${data.aws_partition.current.partition}:s3:::"
  figures  = "${local.s3}${var.figures_bucket}"
  matrices = "${local.s3}${var.matrices_bucket}"
}

# IfExists: S3 answers a read of a key that isn't there with 404 only to who may list the bucket, else
# with 403, and a read has no s3:prefix. Without it "not yet summarised" would look like "forbidden".
data "aws_iam_policy_document" "task" {
  statement {
    sid       = "ReadMatricesAndBlacklist"
    actions   = ["s3:GetObject"]
    resources = ["${local.matrices}/${var.matrices_prefix}*", "${local.matrices}/blacklist"]
  }

  statement {
    sid       = "ListMatrices"
    actions   = ["s3:ListBucket"]
    resources = [local.matrices]

    condition {
      test     = "StringLikeIfExists"
      variable = "s3:prefix"
      values   = ["${var.matrices_prefix}*", "blacklist"]
    }
  }

  statement {
    sid = "ReadAndWriteFigures"
    actions = concat(
      ["s3:GetObject", "s3:PutObject"],
      var.allow_prune ? ["s3:DeleteObject"] : [],
    )
    resources = ["${local.figures}/${var.figures_prefix}*"]
  }

  statement {
    sid       = "ListFigures"
    actions   = ["s3:ListBucket"]
    resources = [local.figures]

    condition {
      test     = "StringLikeIfExists"
      variable = "s3:prefix"
      values   = ["${var.figures_prefix}*"]
    }
  }
}

module "task_role" {
  source = "../role"

  name        = "${var.name}-task"
  description = "${var.name} itself: reads matrices, writes figures"
  service     = "ecs-tasks"
  rights      = data.aws_iam_policy_document.task.json
}
