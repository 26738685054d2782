"""Studies: one file for each question a psychometrician asks; ``python -m simulations.studies NAME``."""
