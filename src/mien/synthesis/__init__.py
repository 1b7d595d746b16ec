"""From ordinary photos to labelled turned faces and clips: head, fit, render, make."""
