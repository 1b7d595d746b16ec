"""The card of a run on a user's own pack names the user's photos, not ours."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from mien.errors import ConfigError, DataError, ModelError
from mien.runtime import find_weights, shipped_models
from mien.runtime.ledger import load_ledger
from mien.training.batches import training_sets
from mien.training.card_sources import gathered_card
from mien.training.checkpoint import card_of_weights, load_checkpoint, save_weights
from mien.training.config import CardConfig, DataConfig
from mien.training.loop import train
from tinypack import write_tiny_pack
from tinyrun import TINY, write_checkpoint

PLAIN = dataclasses.replace(TINY, card=CardConfig(), data=DataConfig())


@pytest.fixture
def own_pack(tmp_path: Path) -> Path:
    """Faces of a user's own; the same with what `mien data annotate` adds."""
    pack = write_tiny_pack(tmp_path / "pack", ("own",))
    with np.load(pack.root / "faces.npz") as file:
        arrays = dict(file)
    arrays["licence"] = np.full(8, "the user's own photos")
    arrays["teacher"] = np.full(8, "fast of mien (research)")
    arrays["confidence68"] = np.full((8, 68), 0.9, np.float32)
    arrays["mediapipe478"][:] = -32768
    np.savez(pack.root / "faces.npz", **arrays)
    return pack.root


def test_what_a_configuration_names_is_taken_at_its_word(own_pack: Path) -> None:
    assert gathered_card(TINY, own_pack, [], None) == TINY.card


def test_photos_networks_and_turned_faces_are_named(own_pack: Path) -> None:
    before = CardConfig(("HELEN",), "research")
    card = gathered_card(PLAIN, own_pack, [Path("turned")], before)
    assert card.training_sources == (
        "photos of 'own' (the user's own photos)",
        "points found by fast of mien (research)",
        "turned faces made from these photos with the ICT head model (MIT)",
        "HELEN",
    )
    assert card.licence == "the user's own photos; fast of mien (research); research"
    stated = dataclasses.replace(PLAIN, card=CardConfig((), "any use"))
    assert gathered_card(stated, own_pack, [], before).licence == "any use"


def test_known_sources_have_the_ledgers_names(tmp_path: Path) -> None:
    pack = write_tiny_pack(tmp_path, ("helen",))
    card = gathered_card(PLAIN, pack.root, [], None)
    assert card.training_sources == (
        "HELEN train photos with 300-W annotation (research)",
        "teacher points by MediaPipe Face Mesh (Apache-2.0) and 3DDFA_V2 (non-commercial research)",
    )
    assert card.licence == "unknown"


def test_a_run_keeps_its_card_and_hands_it_on(own_pack: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    train(dataclasses.replace(PLAIN, data=DataConfig()), own_pack, run)
    card = load_checkpoint(run / "best.pt").config.card
    assert card.training_sources[0] == "photos of 'own' (the user's own photos)"
    save_weights(load_checkpoint(run / "last.pt"), tmp_path / "kept.safetensors")
    assert card_of_weights(tmp_path / "kept.safetensors") == card
    assert card_of_weights(run / "last.pt") == card
    with pytest.raises(ModelError, match="does not say"):
        card_of_weights(tmp_path / "none.safetensors")


def test_a_run_that_starts_from_others_weights_names_their_sources(
    own_pack: Path, tmp_path: Path
) -> None:
    write_checkpoint(tmp_path / "theirs.pt")
    run = tmp_path / "run"
    run.mkdir()
    train(PLAIN, own_pack, run, initial=tmp_path / "theirs.pt")
    assert set(TINY.card.training_sources) < set(
        load_checkpoint(run / "last.pt").config.card.training_sources
    )


def test_shares_follow_from_what_is_there(tmp_path: Path) -> None:
    pack = write_tiny_pack(tmp_path, ("mine", "theirs"), train=6)
    sets, shares = training_sets(PLAIN, pack.root, [])
    assert [faces.name for faces in sets] == ["mine", "theirs"]
    assert shares == pytest.approx([0.5, 0.5])
    named = dataclasses.replace(PLAIN, data=DataConfig({"theirs": 0.4, "*": 0.2}))
    sets, shares = training_sets(named, pack.root, [])
    assert dict(zip((faces.name for faces in sets), shares, strict=True)) == {
        "theirs": 0.4,
        "mine": pytest.approx(0.2),
    }
    none = write_tiny_pack(tmp_path / "val", ("mine",), train=0)
    with pytest.raises(DataError, match="no train faces whose points are good enough"):
        training_sets(PLAIN, none.root, [])


FREE = dataclasses.replace(PLAIN, card=CardConfig(any_use=True), data=DataConfig())


@pytest.fixture
def free_pack(tmp_path: Path) -> Path:
    """Photos of MEBeauty, with MediaPipe's points alone."""
    pack = write_tiny_pack(tmp_path / "free", ("mebeauty",))
    with np.load(pack.root / "faces.npz") as file:
        arrays = dict(file)
    arrays["manual68"][:] = -32768
    arrays["teacher"] = np.full(8, "teacher points by MediaPipe Face Mesh (Apache-2.0)")
    np.savez(pack.root / "faces.npz", **arrays)
    return pack.root


def write_manifest(folder: Path, *sources: str) -> Path:
    """A set's, as far as its sources are told."""
    folder.mkdir()
    run = {"sources": list(sources)} if sources else {}
    (folder / "manifest.json").write_text(json.dumps({"runs": [run]}))
    return folder


def test_weights_for_any_use_say_so(free_pack: Path, tmp_path: Path) -> None:
    turned = write_manifest(tmp_path / "turned", "ICT FaceKit light head model (MIT)")
    before = CardConfig(("faker-js synthetic portraits (CC0 1.0)",))
    card = gathered_card(FREE, free_pack, [turned], before)
    assert card.licence.startswith("any use")
    assert not load_ledger().hindrances(card.training_sources)
    assert len(card.training_sources) == 4


def test_a_forbidden_ancestor_ends_the_run(free_pack: Path, tmp_path: Path) -> None:
    helen = write_tiny_pack(tmp_path / "helen", ("helen",)).root
    with pytest.raises(ConfigError, match="cannot learn from: HELEN"):
        gathered_card(FREE, helen, [], None)
    research = card_of_weights(find_weights("fast").detection)
    with pytest.raises(ConfigError, match="YouTube Faces"):
        gathered_card(FREE, free_pack, [], research)
    unsaid = write_manifest(tmp_path / "unsaid")
    with pytest.raises(ConfigError, match="does not say what its pictures were made of"):
        gathered_card(FREE, free_pack, [unsaid], None)
    clicked = write_manifest(tmp_path / "clicked", load_ledger().find("anchors").name)
    with pytest.raises(ConfigError, match="placed by clicked points"):
        gathered_card(FREE, free_pack, [clicked], None)
    assert gathered_card(PLAIN, free_pack, [unsaid], None).licence != "", "others take any set"
    profiles = dataclasses.replace(FREE, data=DataConfig(profiles="cfp"))
    with pytest.raises(ConfigError, match="CFP"):
        gathered_card(profiles, free_pack, [], None)


def test_what_names_no_source_hinders_whatever_stands_beside_it(
    free_pack: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="photos that are not named"):
        gathered_card(FREE, free_pack, [], CardConfig())
    made = CardConfig((load_ledger().find("turned").name,))
    with pytest.raises(ConfigError, match="photos that are not named"):
        gathered_card(FREE, free_pack, [], made)
    turned = write_manifest(tmp_path / "turned", load_ledger().find("turned").name)
    with pytest.raises(ConfigError, match="photos that are not named"):
        gathered_card(FREE, free_pack, [turned], None)
    with np.load(free_pack / "faces.npz") as file:
        arrays = dict(file)
    arrays["source"][0] = ""
    np.savez(free_pack / "faces.npz", **arrays)
    with pytest.raises(ConfigError, match="photos of no named source"):
        gathered_card(FREE, free_pack, [], None)


def test_a_stated_source_does_not_hide_the_others(tmp_path: Path) -> None:
    stated = dataclasses.replace(
        FREE, card=CardConfig(("faker-js synthetic portraits (CC0 1.0)",), any_use=True)
    )
    with pytest.raises(ConfigError, match="HELEN"):
        gathered_card(stated, write_tiny_pack(tmp_path, ("helen",)).root, [], None)


def test_shipped_weights_that_are_called_free_are() -> None:
    for model in shipped_models():
        free = not load_ledger().hindrances(model.card.training_sources)
        assert free == model.card.name.endswith("-free"), model.path.name
