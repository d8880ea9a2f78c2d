"""What people do to an incident; each act is a frozen dataclass that says what it changes."""
