"""Whole sets of turned photos and clips, resumable, the same for the same seed."""
