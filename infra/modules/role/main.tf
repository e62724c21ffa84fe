# A role that one AWS service takes, on behalf of this account only, with the one policy it has.

variable "name" {
  description = "Name of the role."
  type        = string
}

variable "description" {
  description = "What it is for."
  type        = string
}

variable "service" {
  description = "Who takes it, for instance ecs-tasks."
  type        = string
}

variable "rights" {
  description = "What it may do: a policy document, JSON."
  type        = string
}

data "aws_caller_identity" "current" {}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["${var.service}.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_iam_role" "this" {
  name               = var.name
  description        = var.description
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "this" {
  name   = "rights"
  role   = aws_iam_role.this.id
  policy = var.rights
}

output "arn" {
  description = "ARN of the role, once it has its rights."
  value       = aws_iam_role.this.arn
  depends_on  = [aws_iam_role_policy.this]
}
