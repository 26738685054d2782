"""How Alembic runs here: online only, on the connection and in the transaction that ``Database.migrate`` opened."""

from alembic import context

import api.campaigns.tables
import api.certification.tables  # noqa: F401  (their tables are part of the metadata)
from api.tables import metadata

if hasattr(context, "config"):  # only while Alembic runs: importing this module does nothing
    context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
    context.run_migrations()
