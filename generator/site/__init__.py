"""The page for readers: what the deck is, some of its cards, what well-known sources get wrong, and the package to take home."""
