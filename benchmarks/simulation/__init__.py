"""Simulated streams without and with changes, and the rules that are tried on them."""
