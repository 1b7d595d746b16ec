"""What can be put on a head: glasses and face masks."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from mien.synthesis.head.morphable import MorphableHead
from mien.synthesis.render.face_mask import FaceMask, mask_mesh
from mien.synthesis.render.glasses import Glasses, glasses_mesh
from mien.synthesis.render.worn_mesh import WornMesh

__all__ = ["build_worn"]


def build_worn(
    thing: Glasses | FaceMask, head: MorphableHead, vertices_cm: Float[np.ndarray, "vertices 3"]
) -> WornMesh:
    """A thing on the head whose bald vertices are given."""
    if isinstance(thing, Glasses):
        return glasses_mesh(thing, head, vertices_cm)
    return mask_mesh(thing, head, vertices_cm)
