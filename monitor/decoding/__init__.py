"""Bytes to columns: every record becomes a row or a rejection with a reason."""
