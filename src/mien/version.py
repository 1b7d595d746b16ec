"""The version of this package, in its one place: the build reads it here, too."""

__all__ = ["__version__"]

__version__ = "0.2.1"
