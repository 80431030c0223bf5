"""Notes with their values to HTML and media."""
