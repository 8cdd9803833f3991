"""What attacks are built of: students, training of clones, choices of images, repeats."""
