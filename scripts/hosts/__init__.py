"""What works in which host, seen in a real browser."""
