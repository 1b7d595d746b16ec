"""The page: a webcam or video of the browser into the tracker, on this machine alone."""
