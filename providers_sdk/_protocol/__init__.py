"""Protocols: bytes to chunks. Pure, without a client or a clock."""
