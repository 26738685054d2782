"""Sessions: who sits when and where, and under which rules."""
