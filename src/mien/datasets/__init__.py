"""Labelled faces on disk: public sets, ours, and what reads any of them."""
