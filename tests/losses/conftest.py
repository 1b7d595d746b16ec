"""Every test here runs on one thread."""

from onethread import one_thread

__all__ = ["one_thread"]
