variable "name" {
  description = "Name of everything."
  type        = string
}

variable "region" {
  description = "Region, for the dashboard."
  type        = string
}

variable "project_tag" {
  description = "Value of the tag Project, by which the budget counts."
  type        = string
}

variable "email" {
  description = "Who is told, or null."
  type        = string
}

variable "budget_usd" {
  description = "Monthly budget; 0: none."
  type        = number
}

variable "state_machine_arn" {
  description = "The state machine of a run."
  type        = string
}

variable "dead_letters_name" {
  description = "Queue of starts that failed."
  type        = string
}

variable "cluster_arn" {
  description = "Cluster that tasks run in."
  type        = string
}

variable "task_family" {
  description = "Task definition without its revision."
  type        = string
}

variable "log_group" {
  description = "Log group of the program."
  type        = string
}

variable "metrics_namespace" {
  description = "Where the program's embedded metrics arrive."
  type        = string
}

variable "metrics_dimensions" {
  description = "Dimensions of the program's embedded metrics."
  type        = map(string)
}
