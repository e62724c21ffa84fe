variable "name" {
  description = "Name of everything."
  type        = string
}

variable "region" {
  description = "Region of the log group."
  type        = string
}

variable "image" {
  description = "The image, by digest; null only while nothing but the repository is made."
  type        = string
}

variable "repository_arn" {
  description = "The repository that the image is pulled from."
  type        = string
}

variable "cpu" {
  description = "CPU units."
  type        = number
}

variable "memory" {
  description = "Memory in MiB."
  type        = number
}

variable "scratch_gib" {
  description = "Ephemeral storage in GiB."
  type        = number
}

variable "cpu_architecture" {
  description = "ARM64 or X86_64."
  type        = string
}

variable "options" {
  description = "Options of the program by name; each becomes a variable DPSS_<NAME>."
  type        = map(string)
}

variable "figures_bucket" {
  description = "Bucket that is written."
  type        = string
}

variable "figures_prefix" {
  description = "Prefix that is written."
  type        = string
}

variable "matrices_bucket" {
  description = "Bucket that is read."
  type        = string
}

variable "matrices_prefix" {
  description = "Prefix that is read."
  type        = string
}

variable "allow_prune" {
  description = "Whether figures may be deleted."
  type        = bool
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
}
