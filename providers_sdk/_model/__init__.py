"""Values only: messages, chunks, settings, limits."""
