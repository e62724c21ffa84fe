variable "name" {
  description = "Name of what is made."
  type        = string
}

variable "region" {
  description = "Region, for the name of the S3 endpoint."
  type        = string
}

variable "vpc_id" {
  description = "An existing VPC, or null."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the existing VPC."
  type        = list(string)
}

variable "cidr" {
  description = "Addresses of the VPC made here."
  type        = string
}

locals {
  own = var.vpc_id == null
}

data "aws_availability_zones" "available" {
  #checkov:skip=CKV_AWS_394:Only the first two are used, and a subnet stays where it is (ignore_changes below).
  count = local.own ? 1 : 0
  state = "available"
}

# Two public subnets and no NAT: a NAT gateway would cost more per month than the job itself.
# Nothing listens on a task, and its security group lets nothing in.
resource "aws_vpc" "this" {
  #checkov:skip=CKV2_AWS_11:Flow logs of a task that only makes HTTPS calls cost more than they tell.
  count                = local.own ? 1 : 0
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { Name = var.name }
}

resource "aws_default_security_group" "this" {
  count  = local.own ? 1 : 0
  vpc_id = aws_vpc.this[0].id
}

resource "aws_internet_gateway" "this" {
  count  = local.own ? 1 : 0
  vpc_id = aws_vpc.this[0].id
  tags   = { Name = var.name }
}

resource "aws_subnet" "public" {
  count                   = local.own ? 2 : 0
  vpc_id                  = aws_vpc.this[0].id
  cidr_block              = cidrsubnet(var.cidr, 2, count.index)
  availability_zone       = data.aws_availability_zones.available[0].names[count.index]
  map_public_ip_on_launch = false
  tags                    = { Name = "${var.name}-${count.index}" }

  lifecycle {
    ignore_changes = [availability_zone]
  }
}

resource "aws_route_table" "public" {
  count  = local.own ? 1 : 0
  vpc_id = aws_vpc.this[0].id
  tags   = { Name = var.name }
}

resource "aws_route" "internet" {
  count                  = local.own ? 1 : 0
  route_table_id         = aws_route_table.public[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this[0].id
}

resource "aws_route_table_association" "public" {
  count          = local.own ? 2 : 0
  subnet_id      = aws_subnet.public[count.index].id
  route_table_id = aws_route_table.public[0].id
}

# Free, and keeps traffic with S3 off the public internet.
resource "aws_vpc_endpoint" "s3" {
  count             = local.own ? 1 : 0
  vpc_id            = aws_vpc.this[0].id
  service_name      = "com.amazonaws.${var.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [aws_route_table.public[0].id]
  tags              = { Name = var.name }
}

resource "aws_security_group" "task" {
  #checkov:skip=CKV2_AWS_5:It is attached to the tasks that the state machine starts, which the check cannot see.
  name        = "${var.name}-task"
  description = "Tasks of ${var.name}: HTTPS out, nothing in"
  vpc_id      = local.own ? aws_vpc.this[0].id : var.vpc_id

  lifecycle {
    precondition {
      condition     = local.own || length(var.subnet_ids) > 0
      error_message = "An existing VPC (vpc_id) needs subnet_ids too."
    }
  }
}

resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.task.id
  description       = "Portals, S3, ECR and CloudWatch"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

output "subnet_ids" {
  description = "Where tasks run."
  value       = local.own ? aws_subnet.public[*].id : var.subnet_ids
}

output "security_group_id" {
  description = "Security group of the tasks."
  value       = aws_security_group.task.id
}
