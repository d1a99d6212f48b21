"""One call: retries, fallback, the reply."""
