"""One module per page; each draws figures from `metrics.json`."""
