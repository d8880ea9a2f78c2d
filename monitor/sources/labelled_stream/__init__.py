"""Outputs and the labels that come for them later, joined by event id."""
