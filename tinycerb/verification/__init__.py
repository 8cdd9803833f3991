"""Is a suspect a clone of a model: it is asked what only the owner can ask, and its answers are judged."""
