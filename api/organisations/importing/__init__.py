"""Lists of learners read from CSV files, row by row, without a database."""
