"""Ways to ask the serving path what it serves, one module each."""
