"""Fake services of the bundled providers' services: for the tests, the contract kit and ``providers demo``."""
