"""The planes that a rollback can switch, one module each."""
