"""Notes as rendered to an Anki package, and the lock that remembers what was shipped."""
