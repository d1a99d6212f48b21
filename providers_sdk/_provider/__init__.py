"""One provider: its description, and one attempt at it."""
