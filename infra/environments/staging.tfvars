# Deployment "staging". One value a line: `source environment.sh staging` reads this file too.
# All variables, with what they mean and their defaults: infra/variables.tf

environment = "staging"
aws_region  = "us-east-1"

# account_id = "123456789012" # refuse any other account

# What is summarised: azul (today's HCA Data Portal), cellxgene, canned or fresh
source_name    = "azul"
use_blacklist  = false
min_gene_count = 0

# The machine
task_cpu         = 2048 # 1024 are one core
task_memory      = 4096 # MiB
scratch_gib      = 60
cpu_architecture = "ARM64" # or X86_64
use_spot         = true
tasks            = 1 # more do a run together, each a share of the projects by size

# When
schedule          = "cron(30 2 * * ? *)" # every day at 02:30
schedule_timezone = "UTC"
schedule_enabled  = false

# The pages in a browser, by CloudFront
serve_pages = false

# Who hears of alarms, and from which monthly cost on
# alarm_email = "someone@example.org"
monthly_budget_usd = 20

# An existing VPC or bucket (by default both are made)
# vpc_id              = "vpc-…"
# subnet_ids          = ["subnet-…", "subnet-…"]
# bucket_name         = "…"
# use_existing_bucket = true
