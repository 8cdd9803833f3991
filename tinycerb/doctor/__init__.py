"""`tinycerb doctor`: what a machine lacks, each finding with the command that mends it."""
