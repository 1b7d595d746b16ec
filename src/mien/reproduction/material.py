"""What a reproduction is made of: faces to learn from and to be measured on, and their digest."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from mien.datasets.ours.clips import read_clips
from mien.datasets.public.aflw2000 import read_aflw2000
from mien.datasets.public.vw300 import read_300vw
from mien.datasets.public.w300lp import read_w300lp
from mien.datasets.training_faces import ShardFaces
from mien.errors import ConfigError, DataError
from mien.evaluation.videos import VideoTruth
from mien.geometry import pose_head
from mien.geometry.convention import Convention
from mien.markup import load_markup
from mien.models.baselines.morphable import LandmarkBasis
from mien.reproduction.drawn import draw_material
from mien.reproduction.measurement import Still
from mien.reproduction.scale import Scale
from mien.reproduction.targets import ScaleName, Target
from mien.synthesis.head.morphable import load_head
from mien.training.config import DataConfig

__all__ = ["Given", "Material", "gather", "turned_stills"]

_TEST_VIDEOS = 12
"""Paper 4.2: "All frames of 12 persons are selected as testset"."""


@dataclass(frozen=True)
class Given:
    """The folders and files that the user named; ``None`` or empty where none."""

    faces: Path | None = None
    turned: tuple[Path, ...] = ()
    turned_test: Path | None = None
    w300lp: Path | None = None
    aflw2000: Path | None = None
    clips: Path | None = None
    vw300: Path | None = None
    head: Path | None = None


@dataclass(frozen=True)
class Material:
    """All that rows are trained on and measured on."""

    data: DataConfig
    folder: Path
    """What ``data`` is read from."""
    turned: tuple[Path, ...]
    stills: tuple[tuple[str, Sequence[Still]], ...]
    """Named sets."""
    films: tuple[VideoTruth, ...]
    head: Path | None
    """File of a landmark basis."""
    learned_sha256: str
    measured_sha256: str


def gather(target: Target, scale: Scale, given: Given, out: Path) -> Material:
    """Read what there is, and draw what smoke needs into ``out``.

    All points lie as those of 300W-LP and AFLW2000-3D do, our own moved there
    (``docs/decisions/0012-conventions.md``): networks learn what they are measured by. Drawn heads
    have one convention only.

    Raises:
        ConfigError: something that the scale needs was not given.
        DataError: a folder is not what it was given as.
    """
    head = None if given.head is None else _write_basis(given.head, out / "head.npz")
    if scale.name is ScaleName.SMOKE:
        drawn = draw_material(out / "drawn")
        given = Given(
            turned=(drawn.turned,),
            aflw2000=drawn.stills,
            clips=drawn.clips,
        )
        head = head or drawn.basis
    if scale.name is ScaleName.FULL:
        if target is Target.DEPARTURES:
            raise ConfigError(f"{target} needs faces with depth, which 300W-LP has not: take small")
        folder = _need(given.w300lp, "--w300lp, the folder 300W_LP", scale)
        names = [entry.name for entry in read_w300lp(folder).entries]
        data = DataConfig(layout="w300lp", convention=Convention.W300LP.value)
        learned = _digest(["w300lp", *names])
    else:
        if not (given.faces or given.turned):
            raise ConfigError(f"scale {scale.name} learns from --data or --turned, or both")
        folder = given.faces or Path()
        convention = Convention.CLICKED if scale.name is ScaleName.SMOKE else Convention.W300LP
        data = DataConfig(convention=convention.value)
        data = data if given.faces else dataclasses.replace(data, pack_shares={})
        learned = _digest([*_of_pack(given.faces), *_of_sets(given.turned)])
    stills, films, measured = _to_measure(target, scale, given, Convention(data.convention))
    return Material(
        data, folder, given.turned if scale.name is not ScaleName.FULL else (),
        stills, films, head, learned, measured,
    )  # fmt: skip


def _to_measure(
    target: Target, scale: Scale, given: Given, convention: Convention
) -> tuple[tuple[tuple[str, Sequence[Still]], ...], tuple[VideoTruth, ...], str]:
    if target.on_video:
        if scale.name is ScaleName.FULL:
            root = _need(given.vw300, "--vw300, the folder of 300VW", scale)
            films, kind = _vw300_films(root), "300vw"
        else:
            root = _need(given.clips, "--clips, a folder of mien data video", scale)
            films = tuple(VideoTruth.of_clip(clip, convention) for clip in read_clips(root))
            kind = "clips"
        return (), films, _digest([kind, *_listed(film.video_path for film in films)])
    stills: list[tuple[str, Sequence[Still]]] = []
    listed: list[str] = []
    if given.aflw2000 is not None:
        name = "drawn heads" if scale.name is ScaleName.SMOKE else "AFLW2000-3D"
        stills.append((name, _aflw2000_stills(given.aflw2000)))
        listed += _listed([*given.aflw2000.glob("image*.mat"), *given.aflw2000.glob("labels.npz")])
    if given.turned_test is not None and scale.name is ScaleName.SMALL:
        stills.append(("turned", turned_stills(given.turned_test, convention)))
        listed += _of_sets((given.turned_test,))
    if not stills:
        more = "" if scale.name is ScaleName.FULL else ", or --turned-test, turned faces, or both"
        raise ConfigError(f"scale {scale.name} measures on --aflw2000, the folder{more}")
    return tuple(stills), (), _digest(listed)


def _need(given: Path | None, what: str, scale: Scale) -> Path:
    if given is None:
        raise ConfigError(f"scale {scale.name} needs {what}")
    return given


def _aflw2000_stills(root: Path) -> list[Still]:
    """Points counted from 0, as what the networks learned: ``docs/decisions/0014-300w-lp.md``."""
    return [
        Still(
            photo.read_rgb,
            (
                ("original", photo.points_image - [1, 1, 0]),
                *((other.name, other.points_image) for other in photo.other_truths),
            ),
            photo.yaw_deg,
        )
        for photo in read_aflw2000(root)
    ]


def turned_stills(folder: Path, convention: Convention) -> list[Still]:
    """The yaw is read off the true points."""
    faces = ShardFaces(folder, convention=convention)
    mean_shape = load_markup(68).mean_shape
    stills = []
    for index in range(len(faces)):
        points = faces.load(index).points.astype(np.float64)
        yaw = pose_head(points, mean_shape).pose.yaw_deg
        stills.append(Still(partial(_shard_picture, faces, index), (("exact", points),), yaw))
    return stills


def _shard_picture(faces: ShardFaces, index: int) -> UInt8[np.ndarray, "height width 3"]:
    return faces.load(index).image_rgb


def _vw300_films(root: Path) -> tuple[VideoTruth, ...]:
    """Twelve videos, or as many as there are, chosen by the digest of their names."""
    videos = read_300vw(root)
    names = [entry.path.name for entry in videos.entries]
    chosen = sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())[:_TEST_VIDEOS]
    return tuple(
        VideoTruth.of_video(video, Convention.CLICKED).to_68()
        for video in read_300vw(root, names=sorted(chosen))
    )


def _write_basis(head_file: Path, out: Path) -> Path:
    """The landmarks of a head model, as ``docs/decisions/0009-rivals.md`` has it."""
    head = load_head(head_file)
    modes = np.concatenate([head.identity, head.expression])[:, head.landmarks68]
    basis = LandmarkBasis.of_head(head.mean[head.landmarks68], modes)
    out.parent.mkdir(parents=True, exist_ok=True)
    np.savez(out, mean=basis.mean, modes=basis.modes)
    return out


def _of_pack(root: Path | None) -> list[str]:
    if root is None:
        return []
    file = root / "faces.npz"
    if not file.is_file():
        raise DataError(f"{root} holds no faces.npz: give the folder of the face pack")
    return [hashlib.sha256(file.read_bytes()).hexdigest()]


def _of_sets(folders: Iterable[Path]) -> list[str]:
    """Names and sizes of the shards, of the held-out ones beside them too."""
    both = [each for folder in folders for each in (folder, folder.with_name(folder.name + "_val"))]
    return [line for folder in both for line in _listed(folder.glob("shard-*.npz"))]


def _listed(files: Iterable[Path]) -> list[str]:
    try:
        return [f"{file.name} {file.stat().st_size}" for file in sorted(files)]
    except OSError as error:
        raise DataError(f"{error.filename} cannot be read: {error.strerror}") from error


def _digest(lines: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
