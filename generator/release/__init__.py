"""A release: what must be committed before it, the rehearsal with a learner in the real Anki, and what is handed out."""
