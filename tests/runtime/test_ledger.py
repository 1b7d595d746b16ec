"""Every source of a shipped network is in the ledger, and nothing becomes free by being made."""

from __future__ import annotations

import pytest

from mien.errors import ModelError
from mien.runtime import shipped_models
from mien.runtime.ledger import load_ledger

LEDGER = load_ledger()


def test_keys_and_names_are_unique() -> None:
    for values in ([one.key for one in LEDGER.sources], [one.name for one in LEDGER.sources]):
        assert len(set(values)) == len(values)


@pytest.mark.parametrize("model", shipped_models(), ids=lambda model: model.path.name)
def test_every_source_of_a_shipped_network_is_known_and_may_be_released(model) -> None:  # type: ignore[no-untyped-def]
    sources = [LEDGER.find(name) for name in model.card.training_sources]
    assert sources
    assert all(source.training and source.release for source in sources)


@pytest.mark.parametrize("model", shipped_models(), ids=lambda model: model.path.name)
def test_a_network_says_research_if_and_only_if_a_source_does(model) -> None:  # type: ignore[no-untyped-def]
    hindered = bool(LEDGER.hindrances(model.card.training_sources))
    assert hindered == ("research" in model.card.licence)


@pytest.mark.parametrize(
    ("keys", "free"),
    [
        (["mebeauty", "webmorph", "synthetic-portraits", "ict", "mediapipe", "turned"], True),
        (["mebeauty", "ict", "mediapipe", "turned", "helen"], False),
        (["mebeauty", "tddfa"], False),
        (["mebeauty", "somebody's hard disk"], False),
        (["turned"], False),
        ([], False),
    ],
)
def test_any_use_needs_every_source(keys: list[str], free: bool) -> None:
    assert (LEDGER.hindrances(keys) == []) is free


def test_what_is_not_known_is_named() -> None:
    with pytest.raises(ModelError, match="somebody's hard disk"):
        LEDGER.find("somebody's hard disk")
