"""Rollbacks: back to the last model version, prompt or configuration known to be good."""
