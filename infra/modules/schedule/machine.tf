# A run: one state machine for the daily run (one shard) and for the first full run (many).
#
#   Guard ── a task is running already ──▶ AlreadyRunning (fails: someone should know)
#     │
#   Shards: for each "i/n", at most `concurrency` at a time:
#     RunTask (waits for its end; told its shard by DPSS_SHARD)
#       ├─ exit 0 ─▶ recorded as "done"
#       ├─ exit 1 ─▶ recorded as "some matrices failed": the others are published; an alarm of its own tells
#       ├─ Spot took the machine back ─▶ RunTask again: it resumes
#       └─ anything else ─▶ recorded as "failed", with error and cause; the other shards go on
#     │
#   Ends: of a run of many shards "end/n", in the same way: one report of all, the pages; of one shard nothing
#     │
#   FindNewFailures ── the log names some ─▶ TellOfThem: a message with matrix, reason and report
#     │
#   Outcomes ── one is "failed" ──▶ ShardsFailed (fails, with the reasons of all that failed)
#     │
#   AllDone
#
# The cause of an error is what ECS says of the task, in JSON, or any other text: it is looked at as
# text and never parsed, so that none can end the run with an error of its own.

locals {
  run_task = {
    Cluster                  = var.cluster_arn
    TaskDefinition           = var.task_definition_arn
    CapacityProviderStrategy = [{ CapacityProvider = var.use_spot ? "FARGATE_SPOT" : "FARGATE", Weight = 1 }]
    PlatformVersion          = "1.4.0"
    PropagateTags            = "TASK_DEFINITION"
    NetworkConfiguration = {
      AwsvpcConfiguration = {
        Subnets        = var.subnet_ids
        SecurityGroups = var.security_group_ids
        AssignPublicIp = var.assign_public_ip ? "ENABLED" : "DISABLED"
      }
    }
    Overrides = {
      ContainerOverrides = [{
        Name        = "dpss"
        Environment = [{ Name = "DPSS_SHARD", "Value.$" = "$.shard" }]
      }]
    }
  }

  one_shard = {
    StartAt = "RunTask"
    States = {
      RunTask = {
        Type               = "Task"
        Resource           = "arn:${data.aws_partition.current.partition}:states:::ecs:runTask.sync"
        Parameters         = local.run_task
        TimeoutSecondsPath = "$.timeout_seconds"
        ResultPath         = null
        Retry = [{
          ErrorEquals     = ["ECS.AmazonECSException", "ECS.ServerException", "ECS.ThrottlingException"]
          IntervalSeconds = 60
          BackoffRate     = 2
          MaxAttempts     = 5
        }]
        Catch = [{ ErrorEquals = ["States.ALL"], ResultPath = "$.error", Next = "WhyStopped" }]
        Next  = "Done"
      }
      WhyStopped = {
        Type = "Choice"
        Choices = concat(
          [{
            And  = concat(local.has_cause, [{ Variable = "$.error.Cause", StringMatches = "*\"StopCode\":\"SpotInterruption\"*" }])
            Next = "WaitForCapacity"
          }],
          [for state, exit in { SomeMatricesFailed = 1, OutOfMemory = 137 } : {
            And = concat(local.has_cause, [{
              Or = [for after in [",", "}"] : { Variable = "$.error.Cause", StringMatches = "*\"ExitCode\":${exit}${after}*" }]
            }])
            Next = state
          }],
          [{ And = local.has_cause, Next = "Failed" }],
        )
        Default = "FailedWithoutCause"
      }
      WaitForCapacity    = { Type = "Wait", Seconds = 120, Next = "RunTask" }
      Done               = { Type = "Pass", Parameters = merge(local.record, { outcome = "done" }), End = true }
      SomeMatricesFailed = { Type = "Pass", Parameters = merge(local.record, { outcome = "some matrices failed" }), End = true }
      OutOfMemory = {
        Type       = "Pass"
        Parameters = merge(local.record, { outcome = "failed", cause = "exit code 137: the task ran out of memory, or was ended by force" })
        End        = true
      }
      Failed = {
        Type       = "Pass"
        Parameters = merge(local.record, { outcome = "failed", "error.$" = "$.error.Error", "cause.$" = "$.error.Cause" })
        End        = true
      }
      FailedWithoutCause = {
        Type       = "Pass"
        Parameters = merge(local.record, { outcome = "failed", "error.$" = "$.error.Error", cause = "no cause was given" })
        End        = true
      }
    }
  }

  record = { "shard.$" = "$.shard" }
  has_cause = [
    { Variable = "$.error.Cause", IsPresent = true },
    { Variable = "$.error.Cause", IsString = true },
  ]

  # The line of the log that names new failures: the program writes one at the end of a run. That it
  # can't be found ends no run; the alarm of the metric is there all the same.
  found = {
    LogGroupName  = var.log_group
    "StartTime.$" = "$.since"
    FilterPattern = "{ $.message = \"new failures:*\" }"
    Limit         = 1
  }
  find = {
    Type       = "Task"
    Resource   = "arn:${data.aws_partition.current.partition}:states:::aws-sdk:cloudwatchlogs:filterLogEvents"
    ResultPath = "$.found"
    Catch      = [{ ErrorEquals = ["States.ALL"], ResultPath = "$.unfound", Next = "Collect" }]
    Next       = "AreThere"
  }

  definition = {
    Comment = "${var.name}: one run, in one shard or many; never two runs at a time"
    StartAt = "Guard"
    States = {
      Guard = {
        Type       = "Task"
        Resource   = "arn:${data.aws_partition.current.partition}:states:::aws-sdk:ecs:listTasks"
        Parameters = { Cluster = var.cluster_arn, Family = var.task_family, DesiredStatus = "RUNNING" }
        ResultPath = "$.running"
        Next       = "IsFree"
      }
      IsFree = {
        Type    = "Choice"
        Choices = [{ Variable = "$.running.TaskArns[0]", IsPresent = true, Next = "AlreadyRunning" }]
        Default = "Begin"
      }
      Begin = { Type = "Pass", Result = {}, ResultPath = "$.done", Next = "Shards" }
      AlreadyRunning = {
        Type  = "Fail"
        Error = "AlreadyRunning"
        Cause = "A task of this deployment is still running; two at a time would do the same work twice."
      }
      Shards = {
        Type               = "Map"
        ItemsPath          = "$.shards"
        MaxConcurrencyPath = "$.concurrency"
        ItemSelector       = { "shard.$" = "$$.Map.Item.Value", "timeout_seconds.$" = "$.timeout_seconds" }
        ItemProcessor      = merge({ ProcessorConfig = { Mode = "INLINE" } }, local.one_shard)
        ResultPath         = "$.done.shards"
        Next               = "Ends"
      }
      Ends = {
        Type           = "Map"
        ItemsPath      = "$.ends"
        MaxConcurrency = 1
        ItemSelector   = { "shard.$" = "$$.Map.Item.Value", "timeout_seconds.$" = "$.timeout_seconds" }
        ItemProcessor  = merge({ ProcessorConfig = { Mode = "INLINE" } }, local.one_shard)
        ResultPath     = "$.done.ends"
        Next           = "LetTheLogArrive"
      }
      LetTheLogArrive = { Type = "Wait", Seconds = 20, Next = "Since" }
      Since = { # the one state that needs JSONata: a time in milliseconds
        Type          = "Pass"
        QueryLanguage = "JSONata"
        Output        = "{% $merge([$states.input, {'since': $toMillis($states.context.Execution.StartTime)}]) %}"
        Next          = "FindNewFailures"
      }
      FindNewFailures = merge(local.find, { Parameters = local.found })
      AreThere = {
        Type = "Choice"
        Choices = [
          { Variable = "$.found.Events[0].Message", IsPresent = true, Next = "TellOfThem" },
          { Variable = "$.found.NextToken", IsPresent = true, Next = "FindOnTheNextPage" },
        ]
        Default = "Collect"
      }
      FindOnTheNextPage = merge(local.find, {
        Parameters = merge(local.found, { "NextToken.$" = "$.found.NextToken" })
      })
      TellOfThem = {
        Type     = "Task"
        Resource = "arn:${data.aws_partition.current.partition}:states:::sns:publish"
        Parameters = {
          TopicArn    = var.topic_arn
          Subject     = "${var.name}: new failures"
          "Message.$" = "States.Format('The others are published. What failed, why, and where the report is, as the log has it: {}', $.found.Events[0].Message)"
        }
        ResultPath = null
        Catch      = [{ ErrorEquals = ["States.ALL"], ResultPath = "$.untold", Next = "Collect" }]
        Next       = "Collect"
      }
      Collect = { # of shards and ends, one list
        Type       = "Pass"
        Parameters = { "all.$" = "$.done.*[*]" }
        Next       = "Outcomes"
      }
      Outcomes = {
        Type       = "Pass"
        Parameters = { "failed.$" = "States.ArrayContains($.all[*].outcome, 'failed')" }
        ResultPath = "$.any"
        Next       = "HasFailed"
      }
      HasFailed = {
        Type    = "Choice"
        Choices = [{ Variable = "$.any.failed", BooleanEquals = true, Next = "Which" }]
        Default = "AllDone"
      }
      # A cause has room for 32,768 characters, and what ECS says of a task some 4,000: all shards that
      # failed are named, the first six with their reason; the others' are in the execution's history.
      Which = {
        Type       = "Pass"
        Parameters = { "failed.$" = "$.all[?(@.outcome == 'failed')]" }
        Next       = "Reasons"
      }
      Reasons = {
        Type = "Pass"
        Parameters = {
          "text.$" = "States.Format('{} of the shards failed: {}. The others came to their end. Why: {}', States.ArrayLength($.failed), States.JsonToString($.failed[*].shard), States.JsonToString($.failed[0:6]))"
        }
        Next = "ShardsFailed"
      }
      ShardsFailed = { Type = "Fail", Error = "ShardsFailed", CausePath = "$.text" }
      AllDone      = { Type = "Succeed", OutputPath = "$.all" }
    }
  }

  # What the schedule hands to the machine; `make run-now` and `make first-run` make their own.
  daily = {
    shards          = [for number in range(1, var.tasks + 1) : "${number}/${var.tasks}"]
    ends            = var.tasks > 1 ? ["end/${var.tasks}"] : []
    concurrency     = var.tasks
    timeout_seconds = var.timeout_seconds
  }
}

data "aws_partition" "current" {}

resource "aws_cloudwatch_log_group" "machine" {
  #checkov:skip=CKV_AWS_158:Nothing secret; CloudWatch encrypts it with its own key.
  name              = "/aws/vendedlogs/states/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_sfn_state_machine" "run" {
  #checkov:skip=CKV_AWS_284:Tracing one call to ECS tells nothing that the execution's history does not.
  #checkov:skip=CKV_AWS_285:Errors are logged; each step is in the execution's history anyway.
  name       = var.name
  role_arn   = module.machine_role.arn
  definition = jsonencode(local.definition)

  logging_configuration {
    level                  = "ERROR"
    include_execution_data = true
    log_destination        = "${aws_cloudwatch_log_group.machine.arn}:*"
  }
}

locals {
  # ARNs in policies are made of names, which are known while the task and the state machine change:
  # so a new image changes no right.
  ecs = trimsuffix(var.cluster_arn, ":cluster/${var.cluster_name}")
}

data "aws_iam_policy_document" "machine" {
  #checkov:skip=CKV_AWS_111:Log delivery knows no narrower resource.
  #checkov:skip=CKV_AWS_356:The actions without a narrower resource stand in a statement of their own.
  statement {
    sid       = "StartThatTask"
    actions   = ["ecs:RunTask"]
    resources = ["${local.ecs}:task-definition/${var.task_family}:*"]

    condition {
      test     = "ArnEquals"
      variable = "ecs:cluster"
      values   = [var.cluster_arn]
    }
  }

  statement {
    sid       = "TagIt"
    actions   = ["ecs:TagResource"]
    resources = ["${local.ecs}:task/${var.cluster_name}/*"]
  }

  statement {
    sid       = "WatchAndStopIt"
    actions   = ["ecs:DescribeTasks", "ecs:StopTask"]
    resources = ["${local.ecs}:task/${var.cluster_name}/*"]
  }

  statement {
    sid       = "SeeWhetherOneRuns"
    actions   = ["ecs:ListTasks"]
    resources = ["*"] # ListTasks by family is of container instances, which Fargate has none of

    condition {
      test     = "ArnEquals"
      variable = "ecs:cluster"
      values   = [var.cluster_arn]
    }
  }

  statement {
    sid       = "GiveTheTaskItsRoles"
    actions   = ["iam:PassRole"]
    resources = var.task_role_arns

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }

  statement {
    sid       = "HearOfItsEnd"
    actions   = ["events:PutTargets", "events:PutRule", "events:DescribeRule"]
    resources = ["${replace(local.ecs, ":ecs:", ":events:")}:rule/StepFunctionsGetEventsForECSTaskRule"] # so in every account
  }

  statement {
    sid       = "FindNewFailuresInTheProgramsLog"
    actions   = ["logs:FilterLogEvents"]
    resources = ["${replace(local.ecs, ":ecs:", ":logs:")}:log-group:${var.log_group}:*"]
  }

  statement {
    sid       = "TellOfThem"
    actions   = ["sns:Publish"]
    resources = [var.topic_arn]
  }

  statement {
    sid = "WriteItsLog"
    actions = [
      "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery",
      "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies",
      "logs:DescribeLogGroups",
    ]
    resources = ["*"] # these actions know no narrower resource
  }
}

module "machine_role" {
  source = "../role"

  name        = "${var.name}-run"
  description = "Starts and stops tasks of ${var.name}"
  service     = "states"
  rights      = data.aws_iam_policy_document.machine.json
}

output "state_machine_arn" {
  description = "The state machine."
  value       = aws_sfn_state_machine.run.arn
}
