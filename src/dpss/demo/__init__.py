"""A simulated portal: projects and matrices, made in seconds."""
