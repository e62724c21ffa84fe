data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  full_name       = "${var.name}-${var.environment}"
  account         = data.aws_caller_identity.current.account_id
  bucket          = coalesce(var.bucket_name, "${local.full_name}-${local.account}")
  bucket_arn      = "arn:${data.aws_partition.current.partition}:s3:::${local.bucket}"
  matrices_bucket = coalesce(var.matrices_bucket, local.bucket)
}

module "registry" {
  source = "./modules/registry"

  name         = local.full_name
  force_delete = var.environment != "prod"
}

module "network" {
  source = "./modules/network"

  name       = local.full_name
  region     = var.aws_region
  vpc_id     = var.vpc_id
  subnet_ids = var.subnet_ids
  cidr       = var.vpc_cidr
}

module "storage" {
  source = "./modules/storage"

  bucket         = local.bucket
  create         = !var.use_existing_bucket
  name           = local.full_name
  figures_prefix = var.figures_prefix
  serve_pages    = var.serve_pages
  force_destroy  = var.environment == "dev"
}

module "job" {
  source = "./modules/job"

  name             = local.full_name
  region           = var.aws_region
  image            = var.image_digest == null ? null : "${module.registry.url}@${var.image_digest}"
  repository_arn   = module.registry.arn
  cpu              = var.task_cpu
  memory           = var.task_memory
  scratch_gib      = var.scratch_gib
  cpu_architecture = var.cpu_architecture

  options = merge(var.extra_options, {
    environ        = var.environment
    source         = var.source_name
    blacklist      = tostring(var.use_blacklist)
    min_gene_count = tostring(var.min_gene_count)
    output         = "s3://${local.bucket}/${trimsuffix(var.figures_prefix, "/")}"
    metrics        = "emf"
    log_format     = "json"
    },
    var.source_name == "canned" ? { source_url = "s3://${local.matrices_bucket}/${trimsuffix(var.matrices_prefix, "/")}" } : {},
    var.use_blacklist ? { blacklist_file = "s3://${local.matrices_bucket}/blacklist" } : {},
  )

  figures_bucket     = local.bucket
  figures_prefix     = var.figures_prefix
  matrices_bucket    = local.matrices_bucket
  matrices_prefix    = var.matrices_prefix
  allow_prune        = var.allow_prune
  log_retention_days = var.log_retention_days
}

module "schedule" {
  source = "./modules/schedule"

  name                    = local.full_name
  cluster_arn             = module.job.cluster_arn
  cluster_name            = module.job.cluster_name
  task_definition_arn     = module.job.task_definition_arn
  task_family             = module.job.task_family
  task_role_arns          = [module.job.task_role_arn, module.job.execution_role_arn]
  subnet_ids              = module.network.subnet_ids
  security_group_ids      = [module.network.security_group_id]
  assign_public_ip        = var.vpc_id == null || var.assign_public_ip
  use_spot                = var.use_spot
  tasks                   = var.tasks
  log_group               = module.job.log_group
  topic_arn               = module.monitoring.topic_arn
  expression              = var.schedule
  timezone                = var.schedule_timezone
  window_minutes          = var.schedule_window_minutes
  enabled                 = var.schedule_enabled
  timeout_seconds         = floor(var.timeout_hours * 3600)
  log_retention_days      = var.log_retention_days
  dead_letter_retain_days = 14
}

module "monitoring" {
  source = "./modules/monitoring"

  name               = local.full_name
  region             = var.aws_region
  project_tag        = var.name
  email              = var.alarm_email
  budget_usd         = var.monthly_budget_usd
  state_machine_arn  = module.schedule.state_machine_arn
  dead_letters_name  = module.schedule.dead_letters_name
  cluster_arn        = module.job.cluster_arn
  task_family        = module.job.task_family
  log_group          = module.job.log_group
  metrics_namespace  = module.job.metrics_namespace
  metrics_dimensions = module.job.metrics_dimensions
}

module "deployer" {
  source = "./modules/deployer"
  count  = var.github_repository == null ? 0 : 1

  name              = local.full_name
  environment       = var.environment
  github_repository = var.github_repository
  provider_arn      = var.github_provider_arn
  bucket_arn        = local.bucket_arn
  own_bucket        = !var.use_existing_bucket
  cloudfront_arns   = module.storage.cloudfront_arns
  project_tag       = var.name
  state_key         = "${var.name}/${var.environment}.tfstate"
  region            = var.aws_region
}
