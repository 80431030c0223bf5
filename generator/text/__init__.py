"""What reading, resolving and rendering must agree on: where math, code, HTML and clozes lie in a text."""
