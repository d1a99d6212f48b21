"""The speed of this library beside the wire, bare requests and other clients; run ``python -m benchmarks``."""
