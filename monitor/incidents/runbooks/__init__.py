"""What to do in an incident of each kind, by whom, with which commands: files."""
