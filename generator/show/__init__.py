"""What a person sees of a build: the preview, the report, what the deck covers."""
