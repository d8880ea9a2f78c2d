"""What people tell about incidents, and learn from them, kept in the database."""
