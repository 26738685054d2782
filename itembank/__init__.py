"""Content: frameworks, items, marking, banks on disk and the snapshots that runs pin. Imports engine only."""
