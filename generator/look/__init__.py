"""The note types and how they look: a folder for each, one style sheet, and the preview's page."""
