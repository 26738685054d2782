"""The pure measurement engine of Jalon: numpy and scipy only, no I/O, clock, logging or random generator."""
