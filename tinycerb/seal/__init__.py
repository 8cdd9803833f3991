"""What a run's artefacts are worth: a digest of each when it is written, compared when it is read."""
