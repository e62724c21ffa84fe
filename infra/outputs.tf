output "repository_url" {
  description = "Where `make push` puts the image."
  value       = module.registry.url
}

output "bucket" {
  description = "Bucket of the figures."
  value       = local.bucket
}

output "figures_url" {
  description = "Where the figures are."
  value       = "s3://${local.bucket}/${var.figures_prefix}"
}

output "pages_url" {
  description = "The pages in a browser; null without serve_pages."
  value       = module.storage.pages_url
}

output "cluster" {
  description = "The ECS cluster."
  value       = module.job.cluster_name
}

output "task_definition_arn" {
  description = "The task that runs, with its revision."
  value       = module.job.task_definition_arn
}

output "state_machine_arn" {
  description = "What `make run-now` and the schedule start."
  value       = module.schedule.state_machine_arn
}

output "daily_input" {
  description = "What the schedule starts it with, JSON; `make run-now` does the same."
  value       = module.schedule.daily_input
}

output "log_group" {
  description = "Where the program's log lines go."
  value       = module.job.log_group
}

output "alarm_topic_arn" {
  description = "Where alarms go."
  value       = module.monitoring.topic_arn
}

output "task_role_arn" {
  description = "Rights of the program."
  value       = module.job.task_role_arn
}

output "deployer_role_arn" {
  description = "Role that GitHub's workflow assumes; null without github_repository."
  value       = one(module.deployer[*].role_arn)
}
