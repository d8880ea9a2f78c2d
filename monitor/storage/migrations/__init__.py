"""The history of the tables, read by Alembic."""
