"""A simulated portal: projects and matrices that any machine makes in seconds."""
