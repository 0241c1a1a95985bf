"""Servers that the integration tests talk to; they live in a process of their own."""
