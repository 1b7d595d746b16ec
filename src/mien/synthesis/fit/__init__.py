"""A head fitted to the points of a photo, and the labels that follow from it."""
