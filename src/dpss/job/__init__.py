"""Many matrices: plan, read, publish, report."""
