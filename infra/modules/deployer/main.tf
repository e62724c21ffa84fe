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

variable "own_bucket" {
  description = "The bucket belongs to this deployment; false: it is only looked at."
  type        = bool
}

variable "cloudfront_arns" {
  description = "The distribution and the access control of this deployment's pages, if it has any."
  type        = list(string)
}

variable "project_tag" {
  description = "Value of the tag Project of everything made here."
  type        = string
}

variable "state_key" {
  description = "Object in the state's bucket that holds this deployment's state."
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
  state     = "arn:${local.partition}:s3:::dpss-terraform-${local.account}"
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

# Every stage of an account has a deployer of its own, and none may touch what another one made: a
# statement is about this deployment's names, or asks for its tags, or only reads.
data "aws_iam_policy_document" "deployer" {
  #checkov:skip=CKV_AWS_111:Statement NoNarrowerResource lists what cannot be bound to a name; the others are.
  #checkov:skip=CKV_AWS_356:The actions without a narrower resource stand in statements of their own.
  # What `make push deploy run-now first-run` do, and what a new version of these files changes about what
  # is there. To make or delete a resource, or to change who hears of alarms, is a person's.
  dynamic "statement" {
    for_each = {
      Image = [
        "arn:${local.partition}:ecr:${local.here}:repository/${var.name}",
        "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload",
        "ecr:DeleteLifecyclePolicy", # a changed one is deleted and made again
        "ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:GetLifecyclePolicy", "ecr:InitiateLayerUpload", "ecr:ListTagsForResource",
        "ecr:PutImage", "ecr:PutLifecyclePolicy", "ecr:UploadLayerPart",
      ]
      Cluster = ["arn:${local.partition}:ecs:${local.here}:cluster/${var.name}", "ecs:DescribeClusters"]
      Task    = ["arn:${local.partition}:ecs:${local.here}:task-definition/${var.name}:*", "ecs:TagResource"]
      Rule = [
        "arn:${local.partition}:events:${local.here}:rule/${var.name}-task-stopped",
        "events:DescribeRule", "events:ListTagsForResource", "events:ListTargetsByRule", "events:PutRule",
        "events:PutTargets",
      ]
      Schedule = [
        "arn:${local.partition}:scheduler:${local.here}:schedule/${var.name}/daily",
        "scheduler:GetSchedule", "scheduler:UpdateSchedule",
      ]
      ScheduleGroup = [
        "arn:${local.partition}:scheduler:${local.here}:schedule-group/${var.name}",
        "scheduler:GetScheduleGroup", "scheduler:ListTagsForResource",
      ]
      Machine = [
        "arn:${local.partition}:states:${local.here}:stateMachine:${var.name}",
        "states:DescribeStateMachine", "states:ListStateMachineVersions", "states:ListTagsForResource",
        "states:StartExecution", "states:UpdateStateMachine",
      ]
      Runs = ["arn:${local.partition}:states:${local.here}:execution:${var.name}:*", "states:DescribeExecution"]
      DeadLetters = [
        "arn:${local.partition}:sqs:${local.here}:${var.name}-not-started",
        "sqs:GetQueueAttributes", "sqs:ListQueueTags", "sqs:SetQueueAttributes",
      ]
      Topic = [
        "arn:${local.partition}:sns:${local.here}:${var.name}-alarms",
        "sns:GetTopicAttributes", "sns:ListTagsForResource",
      ]
      Alarms = [
        "arn:${local.partition}:cloudwatch:${local.here}:alarm:${var.name}-*",
        "cloudwatch:ListTagsForResource", "cloudwatch:PutMetricAlarm",
      ]
      Dashboard = [
        "arn:${local.partition}:cloudwatch::${local.account}:dashboard/${var.name}",
        "cloudwatch:GetDashboard", "cloudwatch:PutDashboard",
      ]
    }
    content {
      sid       = statement.key
      resources = [statement.value[0]]
      actions   = slice(statement.value, 1, length(statement.value))
    }
  }

  statement {
    sid     = "Logs"
    actions = ["logs:FilterLogEvents", "logs:ListTagsForResource", "logs:PutRetentionPolicy"]
    resources = flatten([
      for group in ["/ecs/${var.name}", "/aws/vendedlogs/states/${var.name}"] : [
        "arn:${local.partition}:logs:${local.here}:log-group:${group}",
        "arn:${local.partition}:logs:${local.here}:log-group:${group}:*",
      ]
    ])
  }

  statement {
    sid       = "ItsBudget"
    actions   = ["budgets:ViewBudget", "budgets:ModifyBudget", "budgets:ListTagsForResource"]
    resources = ["arn:${local.partition}:budgets::${local.account}:budget/${var.name}-monthly"]
  }

  dynamic "statement" {
    for_each = length(var.cloudfront_arns) > 0 ? [var.cloudfront_arns] : []
    content {
      sid = "ItsPages"
      actions = [
        "cloudfront:GetDistribution", "cloudfront:UpdateDistribution", "cloudfront:ListTagsForResource",
        "cloudfront:GetOriginAccessControl",
      ]
      resources = statement.value
    }
  }

  statement {
    sid = "SeeTheFiguresBucket"
    actions = [
      "s3:GetAccelerateConfiguration", "s3:GetBucketAcl", "s3:GetBucketCORS", "s3:GetBucketLogging",
      "s3:GetBucketObjectLockConfiguration", "s3:GetBucketOwnershipControls", "s3:GetBucketPolicy",
      "s3:GetBucketPublicAccessBlock", "s3:GetBucketRequestPayment", "s3:GetBucketTagging",
      "s3:GetBucketVersioning", "s3:GetBucketWebsite", "s3:GetEncryptionConfiguration",
      "s3:GetLifecycleConfiguration", "s3:GetReplicationConfiguration", "s3:ListBucket",
    ]
    resources = [var.bucket_arn]
  }

  # Not who may read it: the public access block, the policy and the owner of its objects are a person's to change.
  dynamic "statement" {
    for_each = var.own_bucket ? [var.bucket_arn] : []
    content {
      sid       = "KeepTheFiguresBucket"
      actions   = ["s3:PutLifecycleConfiguration"]
      resources = [statement.value]
    }
  }

  statement {
    sid       = "SeeTheBucketOfStates"
    actions   = ["s3:GetBucketPolicy"]
    resources = [local.state]
  }

  # IfExists: "is the bucket there" and "is this key there" have no prefix.
  statement {
    sid       = "FindTheState"
    actions   = ["s3:ListBucket"]
    resources = [local.state]

    condition {
      test     = "StringLikeIfExists"
      variable = "s3:prefix"
      values   = ["env:/", var.state_key, "${var.state_key}.tflock"]
    }
  }

  statement {
    sid       = "ItsStateAndLock"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${local.state}/${var.state_key}", "${local.state}/${var.state_key}.tflock"]
  }

  statement {
    sid       = "Unlock"
    actions   = ["s3:DeleteObject"]
    resources = ["${local.state}/${var.state_key}.tflock"]
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

  # IAM knows no narrower resource for this action, so it asks for the tags of this deployment. A revision
  # that is registered runs nowhere until a state machine names it, which only its own deployer can do.
  statement {
    sid       = "RegisterItsTask"
    actions   = ["ecs:RegisterTaskDefinition"]
    resources = ["*"]

    dynamic "condition" {
      for_each = { Project = var.project_tag, Environment = var.environment }
      content {
        test     = "StringEquals"
        variable = "aws:RequestTag/${condition.key}"
        values   = [condition.value]
      }
    }
  }

  # Only reading, but for the delivery of the state machine's log, which has neither names nor tags.
  # There is no ecs:DeregisterTaskDefinition, which could hit another stage's task: old revisions stay.
  statement {
    sid = "NoNarrowerResource"
    actions = [
      "ec2:DescribeAvailabilityZones", "ec2:DescribeInternetGateways", "ec2:DescribeNetworkAcls",
      "ec2:DescribePrefixLists", "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroupRules",
      "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcAttribute", "ec2:DescribeVpcEndpoints",
      "ec2:DescribeVpcs", "ecr:GetAuthorizationToken", "ecs:DescribeTaskDefinition", "logs:DescribeLogGroups",
      "logs:ListLogDeliveries", "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery",
      "logs:DescribeResourcePolicies", "cloudwatch:DescribeAlarms", "states:ValidateStateMachineDefinition",
      "sns:GetSubscriptionAttributes",
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
