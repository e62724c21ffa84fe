data "aws_partition" "current" {}

locals {
  container         = "dpss"
  metrics_namespace = "dpss"
  # What can only be read whole, R's files, gets half of the task's memory, whatever the container shows of it.
  options = merge({ memory = "${floor(var.memory / 2)}MiB" }, var.options)
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:Names of public projects and timings; CloudWatch encrypts them with its own key.
  name              = "/ecs/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_ecs_cluster" "this" {
  #checkov:skip=CKV_AWS_65:Container Insights bills per task for what the run report has already (seconds, peak memory).
  name = var.name
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]
}

resource "aws_ecs_task_definition" "this" {
  #checkov:skip=CKV_AWS_249:The two roles differ; the check cannot follow the outputs of the module that makes them.
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = module.execution_role.arn
  task_role_arn            = module.task_role.arn
  skip_destroy             = true # a roll back finds the old revision; see the deployer's rights

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.cpu_architecture
  }

  ephemeral_storage {
    size_in_gib = var.scratch_gib
  }

  # The one place that can be written. The image gives it to its user.
  volume {
    name = "scratch"
  }

  container_definitions = jsonencode([
    {
      name                   = local.container
      image                  = var.image
      essential              = true
      cpu                    = var.cpu
      memory                 = var.memory
      user                   = "10001:10001"
      readonlyRootFilesystem = true
      stopTimeout            = 60
      linuxParameters = {
        initProcessEnabled = true
        capabilities       = { add = [], drop = ["ALL"] }
      }
      mountPoints = [{ sourceVolume = "scratch", containerPath = "/scratch", readOnly = false }]
      environment = [
        for name in sort(keys(local.options)) : { name = "DPSS_${upper(name)}", value = local.options[name] }
      ]
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.this.name
          awslogs-region        = var.region
          awslogs-stream-prefix = "run"
        }
      }
      portMappings   = []
      systemControls = []
      volumesFrom    = []
    }
  ])

  lifecycle {
    precondition {
      condition     = var.image != null
      error_message = "No image: give image_digest (`make push`, then `make deploy`, which finds it)."
    }
    precondition {
      condition     = var.memory >= 2 * var.cpu && var.memory <= 8 * var.cpu
      error_message = "Fargate wants between 2048 and 8192 MiB of task_memory per 1024 units of task_cpu."
    }
  }
}

output "cluster_arn" {
  description = "ARN of the cluster."
  value       = aws_ecs_cluster.this.arn
}

output "cluster_name" {
  description = "Name of the cluster."
  value       = aws_ecs_cluster.this.name
}

output "task_definition_arn" {
  description = "The task definition with its revision."
  value       = aws_ecs_task_definition.this.arn
}

output "task_family" {
  description = "The task definition without its revision."
  value       = aws_ecs_task_definition.this.family
}

output "task_role_arn" {
  description = "Rights of the program."
  value       = module.task_role.arn
}

output "execution_role_arn" {
  description = "Rights of ECS on the task's behalf."
  value       = module.execution_role.arn
}

output "log_group" {
  description = "Name of the log group."
  value       = aws_cloudwatch_log_group.this.name
}

output "metrics_namespace" {
  description = "Where the program's embedded metrics arrive."
  value       = local.metrics_namespace
}

output "metrics_dimensions" {
  description = "Dimensions of the program's embedded metrics."
  value       = { Environment = var.options["environ"], Source = var.options["source"] }
}
