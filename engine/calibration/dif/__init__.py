"""Items that work differently for learners of the same ability in two groups."""
