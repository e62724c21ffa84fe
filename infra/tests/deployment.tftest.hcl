# What a plan says, without an AWS: `terraform test` in infra/ (or `make test-infra`).

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_availability_zones" {
    defaults = { names = ["us-east-1a", "us-east-1b", "us-east-1c"] }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mock" }
  }
  mock_resource "aws_ecs_cluster" {
    defaults = { arn = "arn:aws:ecs:us-east-1:123456789012:cluster/mock" }
  }
  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:us-east-1:123456789012:task-definition/mock:1" }
  }
  mock_resource "aws_ecr_repository" {
    defaults = {
      arn            = "arn:aws:ecr:us-east-1:123456789012:repository/mock"
      repository_url = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mock"
    }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:123456789012:mock" }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:us-east-1:123456789012:mock" }
  }
  mock_resource "aws_sfn_state_machine" {
    defaults = { arn = "arn:aws:states:us-east-1:123456789012:stateMachine:mock" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:mock" }
  }
  mock_resource "aws_cloudfront_distribution" {
    defaults = { arn = "arn:aws:cloudfront::123456789012:distribution/MOCK", domain_name = "mock.cloudfront.net" }
  }
  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
  }
}

variables {
  environment  = "dev"
  image_digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
}

run "defaults" {
  command = apply

  assert {
    condition     = output.bucket == "data-portal-summary-stats-dev-123456789012"
    error_message = "The bucket's name holds service, environment and account."
  }
  assert {
    condition     = output.figures_url == "s3://data-portal-summary-stats-dev-123456789012/project-assets/project-stats/"
    error_message = "Figures go where the 2019 program put them."
  }
  assert {
    condition     = output.pages_url == null && output.deployer_role_arn == null
    error_message = "CloudFront and the deployer's role come when asked for."
  }
}

run "network" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    name       = "dpss-dev"
    region     = "us-east-1"
    vpc_id     = null
    subnet_ids = []
    cidr       = "10.91.0.0/24"
  }

  assert {
    condition     = [for s in aws_subnet.public : s.cidr_block] == ["10.91.0.0/26", "10.91.0.64/26"]
    error_message = "Two subnets within the VPC."
  }
  assert {
    condition     = length(aws_vpc_endpoint.s3) == 1 && aws_vpc_endpoint.s3[0].vpc_endpoint_type == "Gateway"
    error_message = "S3 is reached through a gateway endpoint, which is free."
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.https.from_port == 443 && aws_vpc_security_group_egress_rule.https.to_port == 443
    error_message = "Tasks speak HTTPS and nothing else."
  }
}

run "existing_network" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    name       = "dpss-dev"
    region     = "us-east-1"
    vpc_id     = "vpc-1"
    subnet_ids = ["subnet-1", "subnet-2"]
    cidr       = "10.91.0.0/24"
  }

  assert {
    condition     = length(aws_vpc.this) + length(aws_subnet.public) + length(aws_internet_gateway.this) + length(aws_vpc_endpoint.s3) == 0
    error_message = "An existing VPC is left as it is."
  }
  assert {
    condition     = output.subnet_ids == tolist(["subnet-1", "subnet-2"]) && aws_security_group.task.vpc_id == "vpc-1"
    error_message = "Tasks run in the subnets that were given."
  }
}

run "existing_network_without_subnets" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    name       = "dpss-dev"
    region     = "us-east-1"
    vpc_id     = "vpc-1"
    subnet_ids = []
    cidr       = "10.91.0.0/24"
  }

  expect_failures = [aws_security_group.task]
}

run "task" {
  command = apply

  module {
    source = "./modules/job"
  }

  variables {
    name               = "dpss-dev"
    region             = "us-east-1"
    image              = "123456789012.dkr.ecr.us-east-1.amazonaws.com/dpss-dev@sha256:0"
    repository_arn     = "arn:aws:ecr:us-east-1:123456789012:repository/dpss-dev"
    cpu                = 2048
    memory             = 4096
    scratch_gib        = 60
    cpu_architecture   = "ARM64"
    options            = { environ = "dev", source = "azul", min_gene_count = "1200" }
    figures_bucket     = "figures"
    figures_prefix     = "stats/"
    matrices_bucket    = "matrices"
    matrices_prefix    = "in/"
    allow_prune        = false
    log_retention_days = 365
  }

  assert {
    condition = alltrue([for c in jsondecode(aws_ecs_task_definition.this.container_definitions) :
      c.readonlyRootFilesystem && c.user == "10001:10001" && c.linuxParameters.capabilities.drop == ["ALL"]
      && c.logConfiguration.logDriver == "awslogs" && endswith(c.image, "@sha256:0")
    ])
    error_message = "The container is read-only, not root, without capabilities, logs, and is named by digest."
  }
  assert {
    condition = contains(
      jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment,
      { name = "DPSS_MIN_GENE_COUNT", value = "1200" },
    )
    error_message = "Options reach the program as DPSS_<NAME>."
  }
  assert {
    condition = contains(
      jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment,
      { name = "DPSS_MEMORY", value = "2048MiB" },
    )
    error_message = "The program is told half of the task's memory for what is read whole."
  }
  assert {
    condition     = aws_ecs_task_definition.this.runtime_platform[0].cpu_architecture == "ARM64" && aws_ecs_task_definition.this.ephemeral_storage[0].size_in_gib == 60
    error_message = "arm64, with the scratch space asked for."
  }
  assert {
    condition     = alltrue([for s in data.aws_iam_policy_document.task.statement : !contains(s.actions, "s3:DeleteObject") && !contains(s.resources, "*")])
    error_message = "The program deletes nothing unless allow_prune, and no statement is about everything."
  }
  assert {
    condition     = toset(flatten([for s in data.aws_iam_policy_document.task.statement : s.resources if contains(s.actions, "s3:PutObject")])) == toset(["arn:aws:s3:::figures/stats/*"])
    error_message = "The program writes the figures' prefix and nothing else."
  }
  assert {
    condition     = toset(flatten([for s in data.aws_iam_policy_document.execution.statement : s.resources if contains(s.actions, "ecr:BatchGetImage")])) == toset(["arn:aws:ecr:us-east-1:123456789012:repository/dpss-dev"])
    error_message = "ECS pulls that image and no other."
  }
}

run "memory_by_hand" {
  command = apply

  module {
    source = "./modules/job"
  }

  variables {
    name               = "dpss-dev"
    region             = "us-east-1"
    image              = "image"
    repository_arn     = "arn:aws:ecr:us-east-1:123456789012:repository/dpss-dev"
    cpu                = 1024
    memory             = 5120
    scratch_gib        = 60
    cpu_architecture   = "ARM64"
    options            = { environ = "dev", source = "azul", memory = "1GiB" }
    figures_bucket     = "figures"
    figures_prefix     = "stats/"
    matrices_bucket    = "matrices"
    matrices_prefix    = "in/"
    allow_prune        = false
    log_retention_days = 365
  }

  assert {
    condition = [
      for e in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment : e.value if e.name == "DPSS_MEMORY"
    ] == ["1GiB"]
    error_message = "extra_options wins."
  }
}

run "no_image" {
  command = plan

  module {
    source = "./modules/job"
  }

  variables {
    name               = "dpss-dev"
    region             = "us-east-1"
    image              = null
    repository_arn     = "arn:aws:ecr:us-east-1:123456789012:repository/dpss-dev"
    cpu                = 2048
    memory             = 4096
    scratch_gib        = 60
    cpu_architecture   = "ARM64"
    options            = { environ = "dev", source = "azul" }
    figures_bucket     = "figures"
    figures_prefix     = "stats/"
    matrices_bucket    = "matrices"
    matrices_prefix    = "in/"
    allow_prune        = false
    log_retention_days = 365
  }

  expect_failures = [aws_ecs_task_definition.this]
}

run "too_little_memory" {
  command = plan

  module {
    source = "./modules/job"
  }

  variables {
    name               = "dpss-dev"
    region             = "us-east-1"
    image              = "image"
    repository_arn     = "arn:aws:ecr:us-east-1:123456789012:repository/dpss-dev"
    cpu                = 4096
    memory             = 4096
    scratch_gib        = 60
    cpu_architecture   = "ARM64"
    options            = { environ = "dev", source = "azul" }
    figures_bucket     = "figures"
    figures_prefix     = "stats/"
    matrices_bucket    = "matrices"
    matrices_prefix    = "in/"
    allow_prune        = false
    log_retention_days = 365
  }

  expect_failures = [aws_ecs_task_definition.this]
}

run "wrong_environment" {
  command = plan

  variables {
    environment = "production"
  }

  expect_failures = [var.environment]
}

run "image_by_tag" {
  command = plan

  variables {
    image_digest = "latest"
  }

  expect_failures = [var.image_digest]
}

run "existing_bucket" {
  command = plan

  module {
    source = "./modules/storage"
  }

  variables {
    bucket         = "somebody-elses"
    create         = false
    name           = "dpss-dev"
    figures_prefix = "stats/"
    serve_pages    = false
    force_destroy  = false
  }

  assert {
    condition     = length(aws_s3_bucket.this) + length(aws_s3_bucket_policy.this) + length(aws_s3_bucket_lifecycle_configuration.this) == 0
    error_message = "Nothing about an existing bucket is changed."
  }
}

run "pages_over_existing_bucket" {
  command = plan

  module {
    source = "./modules/storage"
  }

  variables {
    bucket         = "somebody-elses"
    create         = false
    name           = "dpss-dev"
    figures_prefix = "stats/"
    serve_pages    = true
    force_destroy  = false
  }

  expect_failures = [data.aws_partition.current]
}

run "schedule" {
  command = apply

  module {
    source = "./modules/schedule"
  }

  variables {
    name                    = "dpss-dev"
    cluster_arn             = "arn:aws:ecs:us-east-1:123456789012:cluster/dpss-dev"
    cluster_name            = "dpss-dev"
    task_definition_arn     = "arn:aws:ecs:us-east-1:123456789012:task-definition/dpss-dev:7"
    task_family             = "dpss-dev"
    task_role_arns          = ["arn:aws:iam::123456789012:role/task"]
    subnet_ids              = ["subnet-1"]
    security_group_ids      = ["sg-1"]
    assign_public_ip        = true
    use_spot                = true
    tasks                   = 3
    log_group               = "/ecs/dpss-dev"
    topic_arn               = "arn:aws:sns:us-east-1:123456789012:dpss-dev-alarms"
    expression              = "cron(30 2 * * ? *)"
    timezone                = "Europe/London"
    window_minutes          = 15
    enabled                 = true
    timeout_seconds         = 82800
    log_retention_days      = 365
    dead_letter_retain_days = 14
  }

  assert {
    condition = (
      aws_scheduler_schedule.daily.schedule_expression_timezone == "Europe/London"
      && aws_scheduler_schedule.daily.flexible_time_window[0].mode == "FLEXIBLE"
      && aws_scheduler_schedule.daily.target[0].retry_policy[0].maximum_retry_attempts == 10
      && length(aws_scheduler_schedule.daily.target[0].dead_letter_config) == 1
    )
    error_message = "The schedule has a time zone, a window, retries and a dead-letter queue."
  }
  assert {
    condition     = jsondecode(aws_sfn_state_machine.run.definition).States.Shards.ItemProcessor.States.RunTask.Parameters.CapacityProviderStrategy[0].CapacityProvider == "FARGATE_SPOT"
    error_message = "Spot when asked for."
  }
  assert {
    condition = jsondecode(aws_scheduler_schedule.daily.target[0].input) == {
      shards = ["1/3", "2/3", "3/3"], ends = ["end/3"], concurrency = 3, timeout_seconds = 82800
    }
    error_message = "Three tasks do the daily run together, and one ends it."
  }
  assert {
    condition = (
      jsondecode(aws_sfn_state_machine.run.definition).StartAt == "Guard"
      && jsondecode(aws_sfn_state_machine.run.definition).States.IsFree.Choices[0].Next == "AlreadyRunning"
    )
    error_message = "A run looks first whether another one is running."
  }
  assert {
    condition     = toset(flatten([for s in data.aws_iam_policy_document.machine.statement : s.resources if contains(s.actions, "ecs:RunTask")])) == toset(["arn:aws:ecs:us-east-1:123456789012:task-definition/dpss-dev:*"])
    error_message = "The state machine starts that task and no other."
  }
}

run "github" {
  command = plan

  variables {
    github_repository = "*/*"
  }

  expect_failures = [var.github_repository]
}

run "too_many_tasks" {
  command = plan

  variables {
    tasks = 101
  }

  expect_failures = [var.tasks]
}
