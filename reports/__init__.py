"""From `metrics.json` to PDF pages and a model card. Imports neither TensorFlow nor TinyCerb."""
