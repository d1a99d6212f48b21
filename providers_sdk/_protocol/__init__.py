"""Bytes to chunks: pure, without a client or a clock."""
