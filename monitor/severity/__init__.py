"""Policies that suggest how bad an incident is; a person decides."""
