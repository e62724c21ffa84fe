"""Pages of marks as pixels, without matplotlib."""
