"""What commands and the Python face do alike: runs that are made, worked on, converted and rendered."""
