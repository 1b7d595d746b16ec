"""The checker of array types under the tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from beartype import BeartypeConf, beartype
from beartype.roar import BeartypeDecorHintException

_Function = TypeVar("_Function", bound=Callable[..., object])
_beartype = beartype(conf=BeartypeConf(is_pep484_tower=True))  # an int may stand for a float


def check(function: _Function) -> _Function:
    """The function with its types checked, or as it was where they cannot be (``Self``)."""
    try:
        return _beartype(function)
    except BeartypeDecorHintException:
        return function
