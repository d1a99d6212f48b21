"""The version, alone on the ground floor so that anyone may read it."""

__version__ = "0.1.0"
