"""How Alembic runs here: online only, on the connection and in the transaction that ``Database.migrate`` opened."""

from alembic import context

from api.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
