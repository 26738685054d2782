"""What is kept of learners: everything about one, its erasure, how long it stays, and who saw it."""
