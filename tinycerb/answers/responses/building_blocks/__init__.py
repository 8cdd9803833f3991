"""What several responses compute with."""
