"""YAML to a validated configuration: every problem at once, each with its place."""
