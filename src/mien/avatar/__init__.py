"""A face on the way to animators' programs: the formats beside tables, and the head as glTF."""

from mien.avatar.formats import FORMATS, details_for, existing_files, notes_of, open_format

__all__ = ["FORMATS", "details_for", "existing_files", "notes_of", "open_format"]
