"""Conformance table of the hosts, filled in a real browser."""
