"""The gate: what text may hold, and how files become text. Whatever comes in or goes out passes here."""
