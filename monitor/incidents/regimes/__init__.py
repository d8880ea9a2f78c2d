"""Reporting duties as reviewed data, and the clocks that counsel lets run."""
