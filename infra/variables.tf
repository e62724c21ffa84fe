# Which deployment

variable "environment" {
  description = "Stage of the portal: dev, integration, staging or prod. Also the program's --environ."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["dev", "integration", "staging", "prod"], var.environment)
    error_message = "The environment is dev, integration, staging or prod."
  }
}

variable "name" {
  description = "Name of the service; every resource is called <name>-<environment>."
  type        = string
  default     = "data-portal-summary-stats"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,31}$", var.name))
    error_message = "The name has 2 to 32 small letters, digits and hyphens, a letter first."
  }
}

variable "aws_region" {
  description = "Region of everything but CloudFront."
  type        = string
  default     = "us-east-1"
  nullable    = false
}

variable "account_id" {
  description = "If given, Terraform refuses to touch any other account."
  type        = string
  default     = null
}

variable "loopback" {
  description = "Only for tests: talk to an AWS on this machine."
  type        = bool
  default     = false
  nullable    = false
}

# The task

variable "image_digest" {
  description = "Digest (sha256:…) of the image in this deployment's repository. `make deploy` fills it in."
  type        = string
  default     = null

  validation {
    condition     = var.image_digest == null || can(regex("^sha256:[0-9a-f]{64}$", var.image_digest))
    error_message = "An image is named by its digest: sha256: and 64 hexadecimal digits."
  }
}

variable "task_cpu" {
  description = "CPU units of a task; 1024 are one core."
  type        = number
  default     = 2048
  nullable    = false

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.task_cpu)
    error_message = "Fargate has 256, 512, 1024, 2048, 4096, 8192 and 16384 CPU units."
  }
}

variable "task_memory" {
  description = "Memory of a task in MiB; Fargate wants at least 2048 per core."
  type        = number
  default     = 4096
  nullable    = false

  validation {
    condition     = var.task_memory >= 512 && var.task_memory <= 122880
    error_message = "Fargate has from 512 to 122880 MiB."
  }
}

variable "scratch_gib" {
  description = "Ephemeral storage of a task in GiB, for a download that has to be whole before it's read. The first 20 are free."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.scratch_gib >= 21 && var.scratch_gib <= 200
    error_message = "Fargate has from 21 to 200 GiB."
  }
}

variable "cpu_architecture" {
  description = "ARM64 (cheaper) or X86_64; the image must be built for it."
  type        = string
  default     = "ARM64"
  nullable    = false

  validation {
    condition     = contains(["ARM64", "X86_64"], var.cpu_architecture)
    error_message = "The architecture is ARM64 or X86_64."
  }
}

variable "tasks" {
  description = "Tasks that do a daily run together, side by side, each a shard of the projects by size."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.tasks >= 1 && var.tasks <= 100 && floor(var.tasks) == var.tasks
    error_message = "There are from 1 to 100 tasks."
  }
}

variable "use_spot" {
  description = "Run on Fargate Spot, at about a third of the price; an interrupted task is started again and resumes."
  type        = bool
  default     = false
  nullable    = false
}

# What the program does

variable "source_name" {
  description = "Where the matrices come from: azul, cellxgene, canned or fresh."
  type        = string
  default     = "azul"
  nullable    = false

  validation {
    condition     = contains(["azul", "cellxgene", "canned", "fresh"], var.source_name)
    error_message = "The source is azul, cellxgene, canned or fresh."
  }
}

variable "use_blacklist" {
  description = "Leave out the projects named in the file `blacklist` at the root of the matrices' bucket."
  type        = bool
  default     = false
  nullable    = false
}

variable "min_gene_count" {
  description = "Cells with fewer genes detected are left out; 0 keeps all."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.min_gene_count >= 0 && floor(var.min_gene_count) == var.min_gene_count
    error_message = "min_gene_count is a whole number from 0."
  }
}

variable "extra_options" {
  description = "More options of `dpss run` by name, for instance { project = \"…\" }; each becomes a variable DPSS_<NAME>."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.extra_options) : can(regex("^[a-z][a-z0-9_]*$", name))])
    error_message = "Options are named in small letters with underscores."
  }
}

# Where the bytes are

variable "bucket_name" {
  description = "Bucket for the figures; null: <name>-<environment>-<account>."
  type        = string
  default     = null
}

variable "use_existing_bucket" {
  description = "The bucket `bucket_name` is there already: nothing about it is changed."
  type        = bool
  default     = false
  nullable    = false
}

variable "figures_prefix" {
  description = "Key prefix under which the task writes, and nowhere else."
  type        = string
  default     = "project-assets/project-stats/"
  nullable    = false

  validation {
    condition     = can(regex("^[^/*?].*/$", var.figures_prefix))
    error_message = "A prefix ends in a slash and doesn't begin with one."
  }
}

variable "matrices_bucket" {
  description = "Bucket of the canned matrices and the blacklist; null: the figures' bucket."
  type        = string
  default     = null
}

variable "matrices_prefix" {
  description = "Key prefix of the canned matrices, which the task reads."
  type        = string
  default     = "project-assets/project-matrices/"
  nullable    = false

  validation {
    condition     = can(regex("^[^/*?].*/$", var.matrices_prefix))
    error_message = "A prefix ends in a slash and doesn't begin with one."
  }
}

variable "allow_prune" {
  description = "Let the task delete figures (for --prune); otherwise it can only add and overwrite."
  type        = bool
  default     = false
  nullable    = false
}

variable "serve_pages" {
  description = "Put CloudFront before the figures' prefix. Needs a bucket made here."
  type        = bool
  default     = false
  nullable    = false
}

# Network

variable "vpc_id" {
  description = "An existing VPC; null: a small one of its own is made."
  type        = string
  default     = null
}

variable "subnet_ids" {
  description = "Subnets of the existing VPC that reach the internet."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "assign_public_ip" {
  description = "Whether tasks in the existing VPC need a public address; false behind a NAT."
  type        = bool
  default     = true
  nullable    = false
}

variable "vpc_cidr" {
  description = "Addresses of the VPC made here."
  type        = string
  default     = "10.91.0.0/24"
  nullable    = false

  validation {
    condition     = can(cidrsubnet(var.vpc_cidr, 2, 3))
    error_message = "vpc_cidr is a CIDR block with room for four subnets."
  }
}

# When

variable "schedule" {
  description = "When it runs: an expression of EventBridge Scheduler."
  type        = string
  default     = "cron(30 2 * * ? *)"
  nullable    = false
}

variable "schedule_timezone" {
  description = "Time zone of the schedule."
  type        = string
  default     = "UTC"
  nullable    = false
}

variable "schedule_window_minutes" {
  description = "The run starts at some moment within so many minutes."
  type        = number
  default     = 15
  nullable    = false
}

variable "schedule_enabled" {
  description = "false: only `make run-now` starts a run."
  type        = bool
  default     = true
  nullable    = false
}

variable "timeout_hours" {
  description = "A daily run is stopped after so many hours, before the next one is due; the next one resumes."
  type        = number
  default     = 23
  nullable    = false
}

# Watching

variable "alarm_email" {
  description = "Who is told of alarms; null: nobody, the topic is there to subscribe to."
  type        = string
  default     = null
}

variable "monthly_budget_usd" {
  description = "A mail at 80 % of this sum and when the forecast goes beyond it; 0: no budget. It counts what is tagged as this project."
  type        = number
  default     = 50
  nullable    = false
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 365
  nullable    = false
}

# Deploying from GitHub

variable "github_repository" {
  description = "owner/name of the GitHub repository whose tags may deploy; null: none."
  type        = string
  default     = null

  validation {
    condition     = var.github_repository == null || can(regex("^[^/*]+/[^/*]+$", var.github_repository))
    error_message = "A GitHub repository is named owner/name."
  }
}

variable "github_provider_arn" {
  description = "The account's OIDC provider for GitHub if it has one already; null: it is made here."
  type        = string
  default     = null
}
