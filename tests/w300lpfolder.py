"""Photos in the layout of 300W-LP, for the tests of its readers."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import scipy.io


def write_w300lp_face(
    root: Path, subset: str, stem: str, points: np.ndarray, picture: np.ndarray
) -> None:
    """One picture with its .mat and its landmarks; ``points`` (68, 2) count pixels from 0."""
    for folder in (root / subset, root / "landmarks" / subset):
        folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(root / subset / f"{stem}.jpg"), picture)
    pose = np.array([[0.0, 0.0, 0.0, 25.0, 20.0, -66.7, 0.001]], np.float32)
    fields = {"Pose_Para": pose, "Shape_Para": np.zeros((199, 1)), "Exp_Para": np.zeros((29, 1))}
    scipy.io.savemat(root / subset / f"{stem}.mat", fields | {"pt2d": points.T + 1})
    landmarks = root / "landmarks" / subset / f"{stem}_pts.mat"
    scipy.io.savemat(landmarks, {"pts_2d": points + 1, "pts_3d": points + 1})
