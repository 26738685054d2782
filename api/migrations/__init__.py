"""Alembic migrations, run by ``Database.migrate`` from the installed package."""
