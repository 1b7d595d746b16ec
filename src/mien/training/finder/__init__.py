"""Training of the face finder: its pictures, targets, loop and validation."""
