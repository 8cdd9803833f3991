"""A run: its directory, and its victims with everything that their names stand for."""
