"""A list that reads when asked."""

import pytest

from mien.datasets.lazy import OnDemand


def test_items_are_read_when_asked_for_and_not_before() -> None:
    asked: list[int] = []

    def read(entry: int) -> str:
        asked.append(entry)
        return str(entry)

    items = OnDemand((1, 2, 3), read)
    assert len(items) == 3
    tail = items[1:]
    assert asked == []
    assert items[-1] == "3"
    assert asked == [3]
    assert list(tail) == ["2", "3"]
    assert list(reversed(items)) == ["3", "2", "1"]
    with pytest.raises(IndexError):
        items[3]
