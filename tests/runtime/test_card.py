"""The card inside a weight file."""

from __future__ import annotations

import json

import pytest

from mien.errors import ModelError
from mien.runtime.card import ModelCard
from standin import CARD


def test_a_card_survives_its_json() -> None:
    assert ModelCard.from_json(CARD.to_json()) == CARD


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("role", "both"),
        ("markup", 70),
        ("convention", "mine"),
        ("markup", "68"),
        ("side", True),
        ("side", 0),
        ("confidence_radius", 0),
        ("training_sources", "helen"),
        ("training_sources", [1]),
        ("results", []),
        ("colour", "red"),
    ],
)
def test_a_wrong_value_is_refused(key: str, value: object) -> None:
    data = json.loads(CARD.to_json())
    data[key] = value
    with pytest.raises(ModelError):
        ModelCard.from_json(json.dumps(data))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": "x"}'])
def test_what_is_no_card_is_refused(text: str) -> None:
    with pytest.raises(ModelError):
        ModelCard.from_json(text)
