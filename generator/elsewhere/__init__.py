"""Decks from elsewhere as topics of ours: a module for each format, one that writes what they found."""
