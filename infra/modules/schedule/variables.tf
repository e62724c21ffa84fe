variable "name" {
  description = "Name of everything."
  type        = string
}

variable "cluster_arn" {
  description = "Cluster that tasks run in."
  type        = string
}

variable "cluster_name" {
  description = "Its name."
  type        = string
}

variable "task_definition_arn" {
  description = "Task definition with its revision."
  type        = string
}

variable "task_family" {
  description = "Task definition without its revision."
  type        = string
}

variable "task_role_arns" {
  description = "Roles that a started task is given."
  type        = list(string)
}

variable "subnet_ids" {
  description = "Where tasks run."
  type        = list(string)
}

variable "security_group_ids" {
  description = "What tasks may reach."
  type        = list(string)
}

variable "assign_public_ip" {
  description = "Whether tasks have a public address."
  type        = bool
}

variable "use_spot" {
  description = "Fargate Spot instead of Fargate."
  type        = bool
}

variable "expression" {
  description = "When a run starts."
  type        = string
}

variable "timezone" {
  description = "Time zone of the expression."
  type        = string
}

variable "window_minutes" {
  description = "Leeway of the start; 0: none."
  type        = number
}

variable "enabled" {
  description = "Whether the schedule is on."
  type        = bool
}

variable "timeout_seconds" {
  description = "A run is stopped after so long, unless its input says otherwise."
  type        = number
}

variable "log_retention_days" {
  description = "How long the state machine's log is kept."
  type        = number
}

variable "dead_letter_retain_days" {
  description = "How long a start that failed is kept."
  type        = number
}

variable "tasks" {
  description = "Tasks that do a daily run together."
  type        = number
}

variable "log_group" {
  description = "Log group of the program."
  type        = string
}

variable "topic_arn" {
  description = "Who is told of new failures."
  type        = string
}
