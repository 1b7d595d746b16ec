"""Near cameras and clicked outlines: heads seen through a pinhole, and the fit that is told so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clay import RADII, KnownFaces
from scipy.spatial import cKDTree
from typer.testing import CliRunner

from mien.cli.data import data_app
from mien.datasets.ours.pack import FacePack, read_pack
from mien.geometry.pose import rotation_from_angles
from mien.synthesis.fit.anchors import Anchors
from mien.synthesis.fit.fits import load_fits, points_of, save_fits
from mien.synthesis.fit.outline import cheek_rows, clicked_outline
from mien.synthesis.fit.residual_warp import ResidualWarp
from mien.synthesis.fit.solver import Evidence, HeadFits, fit_heads
from mien.synthesis.head.morphable import MorphableHead
from mien.synthesis.head.surface import SurfacePoints
from mien.synthesis.render.turning import HeadTurner, Turn
from mien.types import HeadPose

FACES, FOCAL_PX = 12, 600.0
CENTRE = np.array([320.0, 240.0])


class Known:
    """Clay heads before a pinhole camera, and the points it sees of them."""

    def __init__(self, head: MorphableHead, surface: SurfacePoints, distance_cm: np.ndarray):
        rng = np.random.default_rng(4)
        poses = [HeadPose(*rng.uniform([-35, -15, -20], [35, 15, 20])) for _ in range(FACES)]
        self.rotation = np.stack([rotation_from_angles(pose) for pose in poses])
        self.distance_cm = distance_cm
        self.identity = rng.normal(size=(FACES, len(head.identity)))
        expression = rng.uniform(0, 0.5, (FACES, len(head.expression)))
        vertices = [head.vertices(*both) for both in zip(self.identity, expression, strict=True)]
        self.vertices_image = self.through_pinhole(np.stack(vertices))
        seen = surface.of(self.vertices_image)
        seen += rng.normal(0, 0.02, seen.shape) * self.scale[:, None, None]
        sigma = np.full(seen.shape[:2], 0.1, np.float32)
        self.evidence = [Evidence(surface, seen.astype(np.float32), sigma, 10 * sigma)]

    def through_pinhole(self, points_cm: np.ndarray) -> np.ndarray:
        """Similar triangles; depth is measured in px at the head's origin."""
        camera = points_cm @ self.rotation.transpose(0, 2, 1)
        camera[..., 2] += self.distance_cm[:, None]
        image = FOCAL_PX * camera[..., :2] / camera[..., 2:] + CENTRE
        depth = camera[..., 2] - self.distance_cm[:, None]
        return np.concatenate([image, depth[..., None] * self.scale[:, None, None]], axis=-1)

    @property
    def scale(self) -> np.ndarray:
        return FOCAL_PX / self.distance_cm

    def turned_wrong(self, fits: HeadFits) -> np.ndarray:
        cosine = (np.einsum("nij,nij->n", fits.rotation, self.rotation) - 1) / 2
        return np.degrees(np.arccos(np.clip(cosine, -1, 1)))

    def missed_cm(self, head: MorphableHead, fits: HeadFits) -> np.ndarray:
        """Mean distance of the face's vertices from the truth, in the image plane."""
        face = SurfacePoints.at_vertices(np.arange(head.face_vertices))
        missed = (points_of(head, fits, face) - face.of(self.vertices_image))[..., :2]
        return np.linalg.norm(missed, axis=-1).mean(axis=1) / self.scale


@pytest.fixture(scope="module")
def seen_from(head: MorphableHead, anchors: Anchors) -> Callable[[np.ndarray], Known]:
    return lambda distance_cm: Known(head, anchors.mesh468.take(np.arange(0, 468, 3)), distance_cm)


def test_a_near_camera_is_found(
    head: MorphableHead, seen_from: Callable[[np.ndarray], Known]
) -> None:
    known = seen_from(np.linspace(30, 60, FACES))
    weak = fit_heads(head, known.evidence)
    near = fit_heads(head, known.evidence, perspective=True)
    assert np.median(known.turned_wrong(weak)) > 4
    assert known.turned_wrong(near).max() < 0.5
    assert known.missed_cm(head, weak).min() > 0.3
    assert known.missed_cm(head, near).max() < 0.05
    np.testing.assert_allclose(near.distance_cm, known.distance_cm, rtol=0.1)
    assert np.isinf(weak.distance_cm).all()


def test_a_far_camera_is_a_weak_one(
    head: MorphableHead, seen_from: Callable[[np.ndarray], Known]
) -> None:
    known = seen_from(np.full(FACES, 2000.0))
    weak = fit_heads(head, known.evidence)
    near = fit_heads(head, known.evidence, perspective=True)
    assert near.distance_cm.min() > 800
    assert known.turned_wrong(near).max() < 0.5
    spots = SurfacePoints.at_vertices(head.landmarks68)
    apart = points_of(head, near, spots) - points_of(head, weak, spots)
    assert np.abs(apart[..., :2]).max() / known.scale[0] < 0.05


def test_a_camera_that_points_would_put_past_infinity_is_a_weak_one(
    head: MorphableHead, seen_from: Callable[[np.ndarray], Known]
) -> None:
    known = seen_from(np.full(FACES, 2000.0))
    surface, seen = known.evidence[0].surface, known.evidence[0].points_image.copy()
    # Far things drawn larger: no camera does that.
    larger = 1 + seen[..., 2:] / known.scale[0] / 100
    seen[..., :2] = (seen[..., :2] - CENTRE) * larger + CENTRE
    strange = [replace(known.evidence[0], points_image=seen)]
    weak, near = fit_heads(head, strange), fit_heads(head, strange, perspective=True)
    assert near.distance_cm.min() > 1e5
    apart = (points_of(head, near, surface) - points_of(head, weak, surface))[..., :2]
    assert np.abs(apart).max() / known.scale[0] < 0.01


@pytest.fixture(scope="module")
def photos(known_faces: KnownFaces) -> FacePack:
    return read_pack(known_faces.table)


@pytest.fixture(scope="module")
def near_fits(known_faces: KnownFaces, photos: FacePack, head: MorphableHead) -> HeadFits:
    """The heads of the table, said to be 40 cm away."""
    count = len(photos)
    return HeadFits(
        rotation=known_faces.rotation.astype(np.float32),
        scale=known_faces.scale.astype(np.float32),
        shift=known_faces.shift.astype(np.float32),
        identity=known_faces.identity.astype(np.float32),
        expression=np.zeros((count, len(head.expression)), np.float32),
        residual_cm=np.zeros(count, np.float32),
        distance_cm=np.full(count, 40, np.float32),
    )


def test_what_is_placed_is_lifted_again(head: MorphableHead, near_fits: HeadFits) -> None:
    heads = np.repeat(head.mean[None, ::50], len(near_fits.scale), axis=0)
    np.testing.assert_allclose(near_fits.lift(near_fits.place(heads)), heads, atol=1e-4)


def test_photos_and_turns_know_the_camera(
    head: MorphableHead, anchors: Anchors, photos: FacePack, near_fits: HeadFits
) -> None:
    warp = ResidualWarp(head, anchors, photos, near_fits)
    photo = warp.photo(0)
    label = warp.labels.points_image[0]
    np.testing.assert_allclose(photo.project(photo.points_cm @ photo.rotation.T), label, atol=1e-2)
    # Unturned, the label stays; turned, it is what a pinhole 40 cm away sees of the turned head.
    turner, pivot = HeadTurner(head, anchors), np.array([0, 2, 0])
    for pose in (None, HeadPose(60, 10, 5)):
        rotation = photo.rotation if pose is None else rotation_from_angles(pose)
        turned = turner.turn(photo, Turn(rotation, hair_cm=0))
        camera = (photo.points_cm - pivot) @ rotation.T + photo.rotation @ pivot + [0, 0, 40]
        expected = 40 * photo.scale * camera[:, :2] / camera[:, 2:] + photo.shift
        if pose is None:
            np.testing.assert_allclose(expected, label[:, :2], atol=1e-2)
        seen = turned.points_image[:, :2] / turned.window.zoom + turned.window.origin
        np.testing.assert_allclose(seen, expected, atol=2e-2)


def test_the_camera_is_kept_and_old_files_are_weak(
    photos: FacePack, near_fits: HeadFits, tmp_path: Path
) -> None:
    new, old = tmp_path / "fits.npz", tmp_path / "old.npz"
    save_fits(new, near_fits, photos, tmp_path / "head.npz")
    assert (load_fits(new, photos).distance_cm == 40).all()
    with np.load(new) as file:
        np.savez(old, **{name: file[name] for name in file if name != "distance_cm"})
    loaded = load_fits(old, photos)
    assert np.isinf(loaded.distance_cm).all()
    np.testing.assert_array_equal(loaded.scale, near_fits.scale)


def test_the_command_takes_a_camera(
    known_faces: KnownFaces, photos: FacePack, head_file: Path, anchors_file: Path, tmp_path: Path
) -> None:
    fits = tmp_path / "fits.npz"
    command = f"fit {known_faces.table} --model {head_file} --anchors {anchors_file} --out {fits}"
    run = CliRunner()
    assert "distance" not in run.invoke(data_app, command, catch_exceptions=False).output
    assert np.isinf(load_fits(fits, photos).distance_cm).all()
    output = run.invoke(
        data_app, f"{command} --camera perspective --no-outline", catch_exceptions=False
    ).output
    assert "quartiles of the camera's distance" in output
    assert np.isfinite(load_fits(fits, photos).distance_cm).all()
    assert run.invoke(data_app, f"{command} --camera fisheye").exit_code == 2


def test_outlines_slide_over_the_far_cheek(
    head: MorphableHead, anchors: Anchors, photos: FacePack
) -> None:
    rng = np.random.default_rng(2)
    side = np.where(np.arange(FACES) % 2, 1, -1)
    rotation = np.stack(
        [rotation_from_angles(HeadPose(yaw, 0, 0)) for yaw in side * rng.uniform(35, 45, FACES)]
    )
    identity = rng.normal(size=(FACES, len(head.identity)))
    neutral = np.zeros(len(head.expression))
    # A jaw from ear to ear: the clay's own lies in front of the outline.
    around, far_back = np.radians(np.linspace(-80, 80, 17)), np.linspace(-1, 1, 17) ** 2
    height = 9 - 11 * far_back
    level = np.sqrt(1 - (height / RADII[1]) ** 2)
    places = [RADII[0] * np.sin(around) * level, height, -RADII[2] * np.cos(around) * level]
    points68 = anchors.points68.corners[:, 0].copy()
    points68[:17] = cKDTree(head.mean).query(np.stack(places, axis=-1))[1]
    points68 = SurfacePoints.at_vertices(points68)
    turned = np.stack([head.vertices(one, neutral) for one in identity])
    turned = turned @ rotation.transpose(0, 2, 1)
    inner, jaw = anchors.manual51.of(turned), points68.of(turned)[:, :17]
    clicked, far = jaw[..., :2].copy(), np.zeros((FACES, 17), bool)
    for face in range(FACES):
        for point in np.arange(9, 16) if side[face] > 0 else np.arange(1, 8):
            level = np.abs(turned[face, :, 1] - jaw[face, point, 1]) < 0.4
            edge = np.where(level, side[face] * turned[face, :, 0], -np.inf).argmax()
            clicked[face, point] = turned[face, edge, :2]
            far[face, point] = True
    noisy = inner + rng.normal(0, [0.1, 0.1, 0.3], inner.shape)
    scale, shift = 5.0, np.array([100, 100, 0])
    sigma = np.full(inner.shape[:2], 0.15, np.float32)
    known = Evidence(anchors.manual51, (noisy * scale + shift).astype(np.float32), sigma, 4 * sigma)
    manual = np.concatenate([clicked, inner[..., :2]], axis=1) * scale + shift[:2]
    table = replace(photos.take(np.zeros(FACES, int)), manual68=manual.astype(np.float32))
    outline = clicked_outline(table, cheek_rows(head, points68))
    # The far side alone: on the near one clicks are where the jaw is.
    outline = replace(outline, sigma_cm=np.where(far, outline.sigma_cm, np.inf).astype(np.float32))
    fixed = Evidence(
        points68.take(np.arange(17)),
        np.concatenate([table.manual68[:, :17], np.zeros((FACES, 17, 1))], axis=-1).astype(
            np.float32
        ),
        outline.sigma_cm,
        np.full_like(outline.sigma_cm, np.inf),
    )

    def missed_cm(fits: HeadFits) -> np.ndarray:
        found = points_of(head, fits, points68)[:, :17, :2] / scale
        return np.linalg.norm(found - jaw[..., :2] - shift[:2] / scale, axis=-1).mean(axis=1)

    unread_cm, slid_cm = (missed_cm(fit_heads(head, [known], clicks)) for clicks in (None, outline))
    fixed_cm = missed_cm(fit_heads(head, [known, fixed]))
    assert slid_cm.mean() < 0.9 * fixed_cm.mean()
    assert slid_cm.max() < 0.7 * fixed_cm.max()
    assert slid_cm.mean() < 0.85 * unread_cm.mean()
