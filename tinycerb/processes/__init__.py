"""How a command ends, and what is left of it: signals, and folders that do not outlive their process."""
