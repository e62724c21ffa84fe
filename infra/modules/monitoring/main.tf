data "aws_caller_identity" "current" {}

resource "aws_sns_topic" "alarms" {
  #checkov:skip=CKV_AWS_26:Alarms name public projects; with AWS's own SNS key CloudWatch and EventBridge could not publish.
  name = "${var.name}-alarms"
}

data "aws_iam_policy_document" "topic" {
  statement {
    sid       = "AlarmsAndEventsOfThisAccount"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms.arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com", "events.amazonaws.com", "budgets.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_sns_topic_policy" "alarms" {
  arn    = aws_sns_topic.alarms.arn
  policy = data.aws_iam_policy_document.topic.json
}

resource "aws_sns_topic_subscription" "email" {
  count     = var.email == null ? 0 : 1
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.email
}

# Four alarms; docs/how-to/operate.md says what to do at each.

resource "aws_cloudwatch_metric_alarm" "failed_matrices" {
  alarm_name          = "${var.name}-failed-matrices"
  alarm_description   = "In the last run at least one matrix failed that did not fail in the run before, or has changed since. The others are published. A message of its own names matrix, reason and report."
  namespace           = var.metrics_namespace
  metric_name         = "NewFailures"
  dimensions          = var.metrics_dimensions
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "no_run" {
  alarm_name          = "${var.name}-no-run-in-26-hours"
  alarm_description   = "No run came to its end in the last 26 hours."
  namespace           = "AWS/States"
  metric_name         = "ExecutionsSucceeded"
  dimensions          = { StateMachineArn = var.state_machine_arn }
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = 26
  datapoints_to_alarm = 26
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "run_failed" {
  alarm_name          = "${var.name}-run-failed"
  alarm_description   = "A run stopped with an error, ran out of time, or found another one running."
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "all"
    expression  = "FILL(failed, 0) + FILL(aborted, 0) + FILL(timed_out, 0)"
    label       = "Runs that did not come to their end"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { failed = "ExecutionsFailed", aborted = "ExecutionsAborted", timed_out = "ExecutionsTimedOut" }
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/States"
        metric_name = metric_query.value
        dimensions  = { StateMachineArn = var.state_machine_arn }
        stat        = "Sum"
        period      = 300
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name          = "${var.name}-not-started"
  alarm_description   = "The scheduler could not start a run; why is in the queue's message."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = var.dead_letters_name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

# The moment a task stops with an error, with ECS's own words: out of memory (137), no image, no capacity.
# Exit 1 is "some matrices failed", which has its own alarm; 143 is a stop that was asked for.
resource "aws_cloudwatch_event_rule" "task_stopped" {
  name        = "${var.name}-task-stopped"
  description = "A task of ${var.name} stopped with an error"

  event_pattern = jsonencode({
    source      = ["aws.ecs"]
    detail-type = ["ECS Task State Change"]
    detail = {
      clusterArn = [var.cluster_arn]
      group      = ["family:${var.task_family}"]
      lastStatus = ["STOPPED"]
      "$or" = [
        { containers = { exitCode = [{ anything-but = [0, 1, 143] }] } },
        { stopCode = ["TaskFailedToStart"] },
      ]
    }
  })
}

resource "aws_cloudwatch_event_target" "task_stopped" {
  rule = aws_cloudwatch_event_rule.task_stopped.name
  arn  = aws_sns_topic.alarms.arn

  input_transformer {
    input_paths = {
      code   = "$.detail.stopCode"
      exit   = "$.detail.containers[0].exitCode"
      reason = "$.detail.stoppedReason"
      task   = "$.detail.taskArn"
    }
    input_template = "\"${var.name}: a task stopped with an error (<code>, exit code <exit>): <reason>. Task <task>. What to do: docs/how-to/operate.md\""
  }
}

locals {
  own = [for key in sort(keys(var.metrics_dimensions)) : [key, var.metrics_dimensions[key]]]
  # [namespace, metric, dimension, value, ...]
  metric = { for name in ["published", "unchanged", "skipped", "NewFailures", "KnownFailures", "seconds", "bytes"] :
  name => concat([var.metrics_namespace, name], flatten(local.own)) }
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name

  dashboard_body = jsonencode({
    widgets = [
      {
        type = "alarm", x = 0, y = 0, width = 24, height = 3
        properties = {
          title = "Alarms"
          alarms = [
            aws_cloudwatch_metric_alarm.failed_matrices.arn,
            aws_cloudwatch_metric_alarm.no_run.arn,
            aws_cloudwatch_metric_alarm.run_failed.arn,
            aws_cloudwatch_metric_alarm.dead_letters.arn,
          ]
        }
      },
      {
        type = "metric", x = 0, y = 3, width = 12, height = 6
        properties = {
          title   = "Matrices per day", region = var.region, stat = "Sum", period = 86400, view = "timeSeries", stacked = true
          metrics = [for name in ["published", "unchanged", "skipped", "NewFailures", "KnownFailures"] : local.metric[name]]
        }
      },
      {
        type = "metric", x = 12, y = 3, width = 6, height = 6
        properties = {
          title   = "Seconds per day", region = var.region, stat = "Sum", period = 86400, view = "timeSeries"
          metrics = [local.metric["seconds"]]
        }
      },
      {
        type = "metric", x = 18, y = 3, width = 6, height = 6
        properties = {
          title   = "Bytes read per day", region = var.region, stat = "Sum", period = 86400, view = "timeSeries"
          metrics = [local.metric["bytes"]]
        }
      },
      {
        type = "log", x = 0, y = 9, width = 24, height = 8
        properties = {
          title = "Warnings and errors", region = var.region, view = "table"
          query = "SOURCE '${var.log_group}' | fields @timestamp, level, project, matrix, message | filter level in ['ERROR', 'WARNING', 'error', 'warning'] | sort @timestamp desc | limit 100"
        }
      },
    ]
  })
}

# Needs the tag Project to be activated once as a cost allocation tag (docs/how-to/deploy.md).
resource "aws_budgets_budget" "monthly" {
  count        = var.budget_usd > 0 ? 1 : 0
  name         = "${var.name}-monthly"
  budget_type  = "COST"
  limit_amount = format("%.1f", var.budget_usd)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  cost_filter {
    name   = "TagKeyValue"
    values = ["user:Project$${var.project_tag}"]
  }

  dynamic "notification" {
    for_each = { ACTUAL = 80, FORECASTED = 100 }
    content {
      comparison_operator       = "GREATER_THAN"
      threshold                 = notification.value
      threshold_type            = "PERCENTAGE"
      notification_type         = notification.key
      subscriber_sns_topic_arns = [aws_sns_topic.alarms.arn]
    }
  }
}

output "topic_arn" {
  description = "Where alarms go."
  value       = aws_sns_topic.alarms.arn
}
