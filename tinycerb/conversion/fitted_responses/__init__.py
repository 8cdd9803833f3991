"""What a response learns from its victim when the victim is converted."""
