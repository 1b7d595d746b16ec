"""The shape of a network: one field a switch; the defaults together are the preset `fast`."""

from __future__ import annotations

from dataclasses import dataclass

from mien.errors import ConfigError

__all__ = ["NetworkConfig"]

_CHOICES = {
    "system": ("hourglass", "resnet-18", "morphable"),
    "heatmap_module": (
        "global-local",
        "local",
        "convolution",
        "affine",
        "affine-predicted",
        "squeeze",
    ),
    "residual": ("identity", "original", "hierarchical", "hierarchical-binary"),
    "upsampling": ("deconvolution", "nearest"),
    "deconvolution_kernel": (2, 4),
    "after_hourglass": ("residual", "convolution"),
    "heatmap_values": ("probability", "linear"),
    "finetune_output": ("correction", "absolute", "none"),
    "finetune_dims": (2, 3),
    "finetune_shrink": (1, 2),
}


@dataclass(frozen=True)
class NetworkConfig:
    """The shape of a network."""

    points: int = 68
    """Points of the markup: 68 or 84."""
    side: int = 256
    """Side of the crop, px; heatmaps have a quarter of it."""
    width: int = 64
    """Channels of the hourglasses (the paper's size: 256)."""
    stacks: int = 4
    """Hourglasses one after the other, each with heatmaps of its own."""
    depth: int = 4
    """Halvings inside an hourglass."""
    finetune_width: int = 48
    """Channels of the finetune module's first convolutions."""
    finetune_hidden: int = 256
    """Size of its first fully connected layer."""
    finetune_shrink: int = 2
    """2: it reads heatmaps, and the crop beside them, at half the size of heatmaps; 1: at all of
    it."""
    system: str = "hourglass"
    """``hourglass``: the paper's, as the switches below have it; ``resnet-18``: the baseline of
    table 1, of which ``width`` is that of the first stage (64) and nothing below is read;
    ``morphable``: after 3DDFA (table 3), as wide, over the head of ``head``."""
    head: str = ""
    """For ``morphable``: file of a landmark basis (.npz with ``mean`` and ``modes``)."""
    heatmap_module: str = "global-local"
    """Features to heatmaps (fig. 4): ``convolution`` is module 1, ``affine`` 2, ``local`` 3,
    ``global-local`` 4; ``squeeze`` is the C x 1 x 1 attention that the paper compares with;
    ``affine-predicted`` is module 2 with matrices that the features predict for each picture."""
    residual: str = "identity"
    """``identity`` (pre-activation, [18]) or ``original`` ([17]): change 3 of section 3.1. With
    ``hierarchical`` or ``hierarchical-binary`` blocks the network is that of [7]."""
    upsampling: str = "deconvolution"
    """``deconvolution`` (learned) or ``nearest`` neighbour: change 2 of section 3.1."""
    deconvolution_kernel: int = 2
    """2 or 4, at stride 2."""
    after_hourglass: str = "residual"
    """``residual`` or a 1x1 ``convolution``: change 1 of section 3.1."""
    dropout: float = 0.0
    """Share of the features dropped after each hourglass; 0 is change 4 of section 3.1."""
    heatmap_values: str = "probability"
    """``probability`` (a sigmoid at the end: change 5 of section 3.1) or ``linear``, for the l2
    loss as [30] has it."""
    decoding_window: int = 0
    """Side of the square about a heatmap's peak that its point is decoded from, in pixels of the
    heatmap, odd; 0 takes the centre of mass of all of it."""
    finetune_output: str = "correction"
    """``correction`` of the decoded points; ``absolute`` points, as the paper has it; or ``none``:
    the points are those of the heatmaps."""
    finetune_dims: int = 3
    """3: x, y and depth; 2: the paper's N x 2, with the mean head's depth."""
    decoded_gradient: bool = True
    """Whether the loss of the corrected points reaches the heatmaps through their decoded points;
    if not, it reaches them through the finetune module alone, and their own loss says where their
    peaks lie."""
    end_to_end: bool = True
    """Whether the losses of the finetune module reach the heatmaps; if not, it is trained alone,
    on heatmaps that learn from their own loss only."""

    def __post_init__(self) -> None:
        sizes = (self.stacks, self.depth, self.finetune_width, self.finetune_hidden)
        if min(sizes) < 1 or self.width < 2:
            raise ConfigError(
                "stacks, depth, finetune_width and finetune_hidden are at least 1, width at least 2"
            )
        if self.side < 1 or self.side % (4 * 2**self.depth):
            raise ConfigError(
                f"side {self.side} cannot be halved {self.depth + 2} times: "
                f"take a multiple of {4 * 2**self.depth}"
            )
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                known = ", ".join(str(choice) for choice in choices)
                raise ConfigError(f"{name} is one of {known}, not {getattr(self, name)!r}")
        if (self.system == "morphable") != bool(self.head):
            raise ConfigError(
                "system 'morphable' needs head, the file of a landmark basis; others have none"
            )
        if self.decoding_window and (self.decoding_window < 3 or self.decoding_window % 2 == 0):
            raise ConfigError(
                f"decoding_window is 0 or an odd number from 3 on, not {self.decoding_window}"
            )
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"dropout is a share from 0 up to below 1, not {self.dropout:g}")
