"""The window: the newest frame of a camera or video, drawn as soon as it is tracked."""
