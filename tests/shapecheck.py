"""The checker of types, those of arrays and their shapes too, under the tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, get_origin

from beartype import BeartypeConf, beartype
from beartype.roar import BeartypeDecorHintException

_Function = TypeVar("_Function", bound=Callable[..., object])
_beartype = beartype(conf=BeartypeConf(is_pep484_tower=True))  # an int may stand for a float

unchecked: list[str] = []
"""Functions whose types cannot be checked."""


def check(function: _Function) -> _Function:
    """The function with its types checked, or as it was where they cannot be (``Self``)."""
    for name, hint in function.__annotations__.items():
        # The checker would read an item to see its type, and the set is to be read on demand.
        if getattr(get_origin(hint), "__name__", "") == "OnDemand":
            function.__annotations__[name] = get_origin(hint)
    try:
        return _beartype(function)
    except BeartypeDecorHintException as error:
        if "Self" not in str(error):
            unchecked.append(f"{function.__module__}.{function.__qualname__}: {error}")
        return function
