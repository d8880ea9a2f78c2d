"""Run the revisions on the connection that `monitor.storage.upgrade` hands over."""

from alembic import context

from monitor.storage.stream_tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite cannot alter a column in place; later revisions copy the table.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
