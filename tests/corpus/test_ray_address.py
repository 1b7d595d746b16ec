"""An address at which no cluster is, without Ray."""

from __future__ import annotations

import socket
import sys
import types

import pytest

from mien.corpus.on_ray import RayCluster
from mien.errors import ConfigError


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stands in for Ray; gives the addresses that it was asked to join."""
    asked: list[str] = []
    stub = types.ModuleType("ray")

    def init(address: str, **_: object) -> None:
        asked.append(address)
        raise ConnectionError("stub")

    stub.init = init  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ray", stub)
    return asked


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.mark.parametrize("form", ["127.0.0.1:{}", "ray://127.0.0.1:{}", "[127.0.0.1]:{}"])
def test_where_nobody_listens_ray_is_not_asked(ray: list[str], form: str) -> None:
    """It would try for more than a minute."""
    address = form.format(free_port())
    with pytest.raises(ConfigError, match="no Ray cluster answers there") as told:
        RayCluster(address, 1, 0)
    assert str(told.value).startswith(address)
    assert "\n" not in str(told.value)
    assert ray == []


@pytest.mark.parametrize("address", ["127.0.0.1:99999999", "no host.invalid:6379"])
def test_what_is_no_address_is_one_line_too(ray: list[str], address: str) -> None:
    with pytest.raises(ConfigError, match="no Ray cluster answers there"):
        RayCluster(address, 1, 0)
    assert ray == []


def test_where_somebody_listens_ray_is_asked(ray: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(ConfigError, match="stub"):
            RayCluster(address, 1, 0)
    assert ray == [address]


def test_auto_is_asked_of_ray(ray: list[str]) -> None:
    with pytest.raises(ConfigError, match="stub"):
        RayCluster("auto", 1, 0)
    assert ray == ["auto"]
