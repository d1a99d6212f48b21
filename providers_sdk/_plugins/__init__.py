"""Plugins: hooks, entry points, loading, the registry."""
