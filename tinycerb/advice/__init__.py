"""What a message advises: the command that installs what is missing, and how a fault of the program is told."""
