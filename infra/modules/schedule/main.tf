# Once a day the scheduler starts the state machine; a start that fails is tried again for an hour
# and then kept in a queue that an alarm watches.

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.name}-not-started"
  message_retention_seconds = var.dead_letter_retain_days * 86400
  sqs_managed_sse_enabled   = true
}

data "aws_iam_policy_document" "scheduler" {
  statement {
    sid       = "StartARun"
    actions   = ["states:StartExecution"]
    resources = ["${replace(local.ecs, ":ecs:", ":states:")}:stateMachine:${var.name}"]
  }

  statement {
    sid       = "KeepWhatDidNotStart"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.dead_letters.arn]
  }
}

module "scheduler_role" {
  source = "../role"

  name        = "${var.name}-schedule"
  description = "Starts runs of ${var.name}"
  service     = "scheduler"
  rights      = data.aws_iam_policy_document.scheduler.json
}

resource "aws_scheduler_schedule_group" "this" {
  name = var.name
}

resource "aws_scheduler_schedule" "daily" {
  #checkov:skip=CKV_AWS_297:The input is a shard number; the scheduler encrypts it with its own key.
  name                         = "daily"
  group_name                   = aws_scheduler_schedule_group.this.name
  description                  = "Runs ${var.name}"
  state                        = var.enabled ? "ENABLED" : "DISABLED"
  schedule_expression          = var.expression
  schedule_expression_timezone = var.timezone

  flexible_time_window {
    mode                      = var.window_minutes > 0 ? "FLEXIBLE" : "OFF"
    maximum_window_in_minutes = var.window_minutes > 0 ? var.window_minutes : null
  }

  target {
    arn      = aws_sfn_state_machine.run.arn
    role_arn = module.scheduler_role.arn
    input    = jsonencode(local.daily)

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 10
    }

    dead_letter_config {
      arn = aws_sqs_queue.dead_letters.arn
    }
  }
}

output "dead_letters_name" {
  description = "Name of the queue of starts that failed."
  value       = aws_sqs_queue.dead_letters.name
}

output "daily_input" {
  description = "What a daily run is started with."
  value       = jsonencode(local.daily)
}
