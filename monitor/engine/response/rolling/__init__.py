"""Rollbacks of stored incidents: who may, what is written down, and what follows from it."""
