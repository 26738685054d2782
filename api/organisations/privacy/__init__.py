"""What is kept of learners: shown to those it is about, erased, and forgotten in its time."""
