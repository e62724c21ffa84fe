terraform {
  required_version = ">= 1.7"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # Filled in by `make deploy` from backends/<environment>.s3.tfbackend and the account's number. Empty
  # values, as Terraform then shows these lines to whoever runs it by hand, instead of asking.
  backend "s3" {
    bucket = "" # Terraform is not run by hand here. In the folder above: make image push deploy ENV=dev
    key    = "" # which runs init, plan and apply. From the README of 2019: docs/how-to/from-2019.md
  }
}

provider "aws" {
  region              = var.aws_region
  allowed_account_ids = var.account_id == null ? null : [var.account_id]

  # Only for tests against an AWS on this machine.
  s3_use_path_style           = var.loopback
  skip_credentials_validation = var.loopback
  skip_metadata_api_check     = var.loopback

  default_tags {
    tags = {
      Project     = var.name
      Environment = var.environment
      ManagedBy   = "terraform"
    }
  }
}
