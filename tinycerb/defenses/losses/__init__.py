"""Loss terms of training parts, and what they are made of."""
