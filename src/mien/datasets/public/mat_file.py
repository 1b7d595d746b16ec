"""MATLAB ``.mat`` files (version 5), with errors that name the file."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from mien.errors import DataError

__all__ = ["MatFile"]

# What scipy raises on damaged .mat files besides its own error, found by cutting one at every
# length.
_DAMAGE = (
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    TypeError,
    IndexError,
    NotImplementedError,
)


@dataclass(frozen=True)
class MatFile:
    """The variables read from one file."""

    path: Path
    belongs_to: str
    """The data set, for the errors."""
    _fields: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path, *names: str, belongs_to: str) -> MatFile:
        """Read the variables named, those that the file has.

        Raises:
            DataError: the file is missing, damaged or of another format, or scipy is.
        """
        try:
            import scipy.io
        except ModuleNotFoundError:
            raise DataError(
                f"{path}: reading .mat files needs scipy: pip install 'mien[data]'"
            ) from None
        try:
            return cls(path, belongs_to, scipy.io.loadmat(path, variable_names=list(names)))
        except FileNotFoundError as error:
            raise DataError(f"{path} is missing: copy {belongs_to} again") from error
        except (scipy.io.matlab.MatReadError, *_DAMAGE) as error:
            raise DataError(f"{path} is no readable .mat file ({error}): copy it again") from error

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def matrix(self, name: str, shape: tuple[int, int]) -> Float[np.ndarray, "rows columns"]:
        """A matrix of that shape.

        Raises:
            DataError: it is not there, has another shape, or is not all finite numbers.
        """
        stored = self._fields.get(name)
        if stored is None or np.shape(stored) != shape or not _are_finite_numbers(stored):
            found = "nothing" if stored is None else f"an array {np.shape(stored)}"
            raise DataError(
                f"{self.path} should hold {name}, {shape} finite numbers, but holds {found}: is it "
                f"cut off, or not of {self.belongs_to}?"
            )
        return np.array(stored, dtype=np.float64)

    def vector(self, name: str, length: int) -> Float[np.ndarray, " numbers"]:
        """The first ``length`` numbers of a row or a column.

        Raises:
            DataError: there are fewer, or they are not all finite numbers.
        """
        stored = np.ravel(self._fields.get(name, ()))
        if len(stored) < length or not _are_finite_numbers(stored[:length]):
            raise DataError(
                f"{self.path} should hold {name}, {length} finite numbers, but holds "
                f"{len(stored)}: is it cut off, or not of {self.belongs_to}?"
            )
        return np.array(stored[:length], dtype=np.float64)


def _are_finite_numbers(stored: Any) -> bool:
    array = np.asarray(stored)
    return array.dtype.kind in "fiu" and bool(np.isfinite(array).all())
