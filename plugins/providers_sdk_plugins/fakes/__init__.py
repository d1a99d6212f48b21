"""Fake services for the bundled providers: for the tests, the contract tests and ``providers demo``."""
