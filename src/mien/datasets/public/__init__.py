"""Public data sets, a file each; every one converts to our coordinates at its own door."""
