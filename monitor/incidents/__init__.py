"""Incidents: what people respond to, made from breaches that belong together."""
