"""Configurations: what is refused, by name, and that nothing is lost on the way to a file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from mien.augmentation.crops import AugmentConfig
from mien.errors import ConfigError
from mien.models import NetworkConfig
from mien.training.config import DataConfig, Schedule, TrainConfig, load_config

LEAST = {"name": "a", "role": "tracking"}
CONFIGS = Path(__file__).parents[2] / "configs"
SHIPPED = sorted(file for file in CONFIGS.glob("*.toml") if file.stem != "finder")


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_shipped_configurations_are_read(file: Path) -> None:
    config = load_config(file)
    assert config.schedule.batch % 2 == 0  # two workers on the smallest machine
    assert TrainConfig.from_dict(config.to_dict()) == config


def test_there_are_shipped_configurations() -> None:
    assert SHIPPED


def test_defaults_fill_what_is_not_said() -> None:
    assert TrainConfig.from_dict(LEAST) == TrainConfig("a", "tracking")


def test_a_configuration_comes_back() -> None:
    config = TrainConfig(
        "b",
        "detection",
        network=NetworkConfig(points=84, side=128),
        data=DataConfig({"lfw": 1.0}, 0.5),
        augment=AugmentConfig(wild=0.2),
        schedule=Schedule(steps=7),
        seed=3,
    )
    values = config.to_dict()
    assert values["network"]["side"] == 128
    assert TrainConfig.from_dict(values) == config


def test_a_file_is_read_with_its_tables(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(
        'name = "c"\nrole = "detection"\n[schedule]\nlearning_rate = 1\n'
        '[data.pack_shares]\nhelen = 2\n[card]\ntraining_sources = ["helen", "afw"]\n'
    )
    config = load_config(file)
    assert config.schedule.learning_rate == 1.0
    assert isinstance(config.schedule.learning_rate, float)
    assert config.data.pack_shares == {"helen": 2.0}
    assert isinstance(config.data.pack_shares["helen"], float)
    assert config.card.training_sources == ("helen", "afw")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sede": 1}, "unknown key 'sede'"),
        ({"network": {"widht": 64}}, "unknown key 'network.widht' .* known are .*width"),
        ({"network": 64}, "'network' is a table"),
        ({"seed": "1"}, "'seed' is a int, not '1'"),
        ({"seed": 1.5}, "'seed' is a int"),
        ({"seed": True}, "'seed' is a int, not True"),
        ({"seed": -1}, "seed is 0 or more, not -1"),
        ({"name": 5}, "'name' is a str"),
        ({"schedule": {"ema": True}}, "'schedule.ema' is a float, not True"),
        ({"schedule": {"steps": 0}}, "steps, batch and validate_every are at least 1"),
        ({"schedule": {"validate_every": 0}}, "validate_every are at least 1"),
        ({"schedule": {"learning_rate": 0}}, "learning_rate and clip are positive"),
        ({"schedule": {"ema": 1.0}}, "ema lies in"),
        ({"data": {"pack_shares": {"helen": "half"}}}, "'data.pack_shares.helen' is a float"),
        ({"data": {"pack_shares": ["helen"]}}, "'data.pack_shares' is a table of numbers"),
        ({"data": {"pack_shares": {}, "turned_share": 0}}, "shares of the data sets are positive"),
        ({"data": {"pack_shares": {"a": 2, "b": -1}}}, "shares of the data sets are positive"),
        ({"card": {"training_sources": "helen"}}, "'card.training_sources' is a list of texts"),
        ({"card": {"training_sources": [1]}}, "'card.training_sources' is a list of texts"),
        ({"role": "both"}, "'detection' or 'tracking', not 'both'"),
        ({"network": {"side": 100}}, "multiple of 64"),
    ],
)
def test_mistakes_are_named(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        TrainConfig.from_dict({**LEAST, **change})
    assert "\n" not in str(caught.value)


def test_what_has_no_default_must_be_given() -> None:
    with pytest.raises(ConfigError, match="lacks 'role'"):
        TrainConfig.from_dict({"name": "a"})


@pytest.mark.parametrize("contents", [None, b"name = ", b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, contents: bytes | None) -> None:
    file = tmp_path / "d.toml"
    if contents is not None:
        file.write_bytes(contents)
    with pytest.raises(ConfigError, match=re.escape(str(file))):
        load_config(file)
