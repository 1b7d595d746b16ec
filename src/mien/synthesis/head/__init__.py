"""The morphable head: its modes, surface, camera and z-buffer."""
