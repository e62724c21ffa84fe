# The role that a GitHub workflow assumes without a stored key: only jobs of that repository that run
# in the GitHub environment of this name (which can ask a person first) get it.

variable "name" {
  description = "Name of the deployment; the role may touch what is called so."
  type        = string
}

variable "environment" {
  description = "GitHub environment that the job must run in."
  type        = string
}

variable "github_repository" {
  description = "owner/name."
  type        = string
}

variable "provider_arn" {
  description = "The account's OIDC provider for GitHub, or null to make it."
  type        = string
}

variable "bucket_arn" {
  description = "Bucket of the figures."
  type        = string
}

variable "region" {
  description = "Region of the deployment."
  type        = string
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  partition = data.aws_partition.current.partition
  account   = data.aws_caller_identity.current.account_id
  issuer    = "token.actions.githubusercontent.com"
  provider  = var.provider_arn != null ? var.provider_arn : aws_iam_openid_connect_provider.github[0].arn
  here      = "${var.region}:${local.account}"
  roles     = "arn:${local.partition}:iam::${local.account}:role/${var.name}"
  # The deployment's roles and who takes them. It may hand them on, not change them: who may write a
  # role's policy has what that role can be given.
  services = { execution = "ecs-tasks", task = "ecs-tasks", run = "states", schedule = "scheduler" }
}

resource "aws_iam_openid_connect_provider" "github" {
  count          = var.provider_arn == null ? 1 : 0
  url            = "https://${local.issuer}"
  client_id_list = ["sts.amazonaws.com"]
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [local.provider]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:sub"
      values   = ["repo:${var.github_repository}:environment:${var.environment}"]
    }
  }
}

resource "aws_iam_role" "deployer" {
  name                 = "${var.name}-deployer"
  description          = "Builds and deploys ${var.name} from ${var.github_repository}"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  max_session_duration = 3600
}

data "aws_iam_policy_document" "deployer" {
  #checkov:skip=CKV_AWS_111:Statement NoNarrowerResource lists what cannot be bound to a name; the others are.
  #checkov:skip=CKV_AWS_356:The actions without a narrower resource stand in a statement of their own.
  statement {
    sid = "ThisDeployment"
    actions = [
      "ecr:*", "ecs:*", "logs:*", "events:*", "scheduler:*", "states:*", "sqs:*", "sns:*", "cloudwatch:*",
    ]
    resources = [
      "arn:${local.partition}:ecr:${local.here}:repository/${var.name}",
      "arn:${local.partition}:ecs:${local.here}:cluster/${var.name}",
      "arn:${local.partition}:ecs:${local.here}:task-definition/${var.name}:*",
      "arn:${local.partition}:ecs:${local.here}:task/${var.name}/*",
      "arn:${local.partition}:logs:${local.here}:log-group:/ecs/${var.name}*",
      "arn:${local.partition}:logs:${local.here}:log-group:/aws/vendedlogs/states/${var.name}*",
      "arn:${local.partition}:events:${local.here}:rule/${var.name}-*",
      "arn:${local.partition}:scheduler:${local.here}:schedule/${var.name}/*",
      "arn:${local.partition}:scheduler:${local.here}:schedule-group/${var.name}",
      "arn:${local.partition}:states:${local.here}:stateMachine:${var.name}",
      "arn:${local.partition}:states:${local.here}:execution:${var.name}:*",
      "arn:${local.partition}:sqs:${local.here}:${var.name}-*",
      "arn:${local.partition}:sns:${local.here}:${var.name}-*",
      "arn:${local.partition}:cloudwatch:${local.here}:alarm:${var.name}-*",
      "arn:${local.partition}:cloudwatch::${local.account}:dashboard/${var.name}",
    ]
  }

  statement {
    sid       = "FiguresBucketButNotItsDestruction"
    actions   = ["s3:Get*", "s3:List*", "s3:Put*Configuration", "s3:PutBucket*", "s3:PutLifecycleConfiguration"]
    resources = [var.bucket_arn]
  }

  statement {
    sid       = "TerraformsState"
    actions   = ["s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = ["arn:${local.partition}:s3:::dpss-terraform-${local.account}*"]
  }

  statement {
    sid       = "SeeRoles"
    actions   = ["iam:GetRole", "iam:GetRolePolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies"]
    resources = [for role in concat(keys(local.services), ["deployer"]) : "${local.roles}-${role}"]
  }

  dynamic "statement" {
    for_each = local.services
    content {
      actions   = ["iam:PassRole"]
      resources = ["${local.roles}-${statement.key}"]

      condition {
        test     = "StringEquals"
        variable = "iam:PassedToService"
        values   = ["${statement.value}.amazonaws.com"]
      }
    }
  }

  statement {
    sid       = "SeeWhoVouches"
    actions   = ["iam:GetOpenIDConnectProvider"]
    resources = [local.provider]
  }

  statement {
    sid = "NoNarrowerResource"
    actions = [
      "ecr:GetAuthorizationToken", "ecs:RegisterTaskDefinition", "ecs:DeregisterTaskDefinition",
      "ecs:DescribeTaskDefinition", "ec2:Describe*", "logs:DescribeLogGroups", "logs:ListLogDeliveries",
      "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DescribeResourcePolicies",
      "cloudwatch:DescribeAlarms", "cloudfront:Get*", "cloudfront:List*", "cloudfront:UpdateDistribution",
      "cloudfront:CreateInvalidation", "states:ValidateStateMachineDefinition", "budgets:ViewBudget",
      "budgets:ModifyBudget", "budgets:ListTagsForResource", "sts:GetCallerIdentity",
    ]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "deployer" {
  name   = "deploy"
  role   = aws_iam_role.deployer.id
  policy = data.aws_iam_policy_document.deployer.json
}

output "role_arn" {
  description = "What the workflow assumes."
  value       = aws_iam_role.deployer.arn
}
