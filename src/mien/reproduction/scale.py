"""How large a reproduction is: the paper's own, an hour a table on two cores, or a minute."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

from mien.augmentation.crops import AugmentConfig
from mien.errors import ConfigError
from mien.models import NetworkConfig
from mien.reproduction.rows import Kind, Row, load_row
from mien.reproduction.targets import ScaleName
from mien.tracking import TrackerSettings
from mien.training.config import CardConfig, DataConfig, Schedule, TrainConfig

__all__ = ["SCALES", "LearningRates", "Scale", "scaled_row", "trainings"]

_SLIGHT = AugmentConfig(rotation_deg=4.0, scale=0.04, shift=0.025, wild=0.03)
"""Model 2 of section 3.4: crops as the last frame's landmarks place them, a little moved."""


@dataclass(frozen=True)
class LearningRates:
    """Of the kinds of rows, each chosen on val (``docs/decisions/0028-small-scale.md``)."""

    heatmaps: float
    """Points decoded from heatmaps."""
    finetuned: float
    """Heatmaps, and points regressed from them."""
    regression: float
    """Points regressed without heatmaps."""

    def of(self, network: NetworkConfig) -> float:
        """The rate of a row's network."""
        if network.system != "hourglass":
            return self.regression
        return self.heatmaps if network.finetune_output == "none" else self.finetuned


@dataclass(frozen=True)
class Scale:
    """What a scale changes of a row's configuration; every row of a table gets the same."""

    name: ScaleName
    seeds: tuple[int, ...]
    schedule: Schedule | None
    """``None`` leaves that of the file, the paper's."""
    learning_rates: LearningRates | None
    """``None`` where all rows learn at the schedule's."""
    l2_gaussian_radius: float | None
    """Of rows whose heatmaps learn by l2, a share of the side; ``None`` where it is the file's."""
    side: int
    width: int
    stacks: int
    depth: int
    sdm_faces: int
    """Crops that supervised descent is fitted to."""
    two_models: bool
    """Whether the tracker has a network for detections and one for followed faces, trained apart as
    in section 3.4. If not, one is both, trained on crops perturbed as a detector's are."""
    tracker: TrackerSettings = field(default_factory=TrackerSettings)


SCALES = {
    scale.name: scale
    for scale in (
        Scale(
            ScaleName.FULL,
            seeds=(1,),
            schedule=None,
            learning_rates=None,
            l2_gaussian_radius=None,
            side=256,
            width=256,
            stacks=4,
            depth=4,
            sdm_faces=10_000,
            two_models=True,
        ),
        # 38,400 faces a training: docs/decisions/0028-small-scale.md says why so few.
        Scale(
            ScaleName.SMALL,
            seeds=(1, 2),
            schedule=Schedule(
                steps=1200,
                batch=32,
                warmup=60,
                ema=0.99,
                validate_every=1200,
                save_every_secs=30.0,
            ),
            learning_rates=LearningRates(heatmaps=1e-2, finetuned=2.5e-3, regression=1.5e-3),
            l2_gaussian_radius=5 / 24,
            side=96,
            width=32,
            stacks=2,
            depth=3,
            sdm_faces=3000,
            two_models=False,
        ),
        Scale(
            ScaleName.SMOKE,
            seeds=(1, 2),
            schedule=Schedule(
                steps=6,
                batch=4,
                learning_rate=3e-3,
                warmup=2,
                ema=0.9,
                validate_every=6,
            ),
            learning_rates=None,
            l2_gaussian_radius=None,
            side=32,
            width=8,
            stacks=2,
            depth=2,
            sdm_faces=24,
            two_models=True,
            # After six steps a score says nothing: everything that is found is followed.
            tracker=TrackerSettings(confirm_score=0.0, keep_score=0.0, end_score=0.0),
        ),
    )
}


def trainings(
    row: Row, scale: Scale, data: DataConfig, *, on_video: bool, seed: int, head: Path | None
) -> tuple[TrainConfig, ...]:
    """The networks that a row needs: model 1 and model 2 where it tracks with two, else one.

    One network alone is trained on crops as the row's file strays them, for stills and for videos
    alike, so that tables share it.

    Raises:
        ConfigError: the row regresses a head, and no head was given.
    """
    config = dataclasses.replace(
        scaled_row(row, scale), name=row.name, seed=seed, data=data, card=CardConfig()
    )
    if row.kind is Kind.MORPHABLE:
        if head is None:
            raise ConfigError(
                f"row {row.name} regresses the parameters of a head: give --head, the file of a "
                "head model (docs/data.md says how it is laid out)"
            )
        network = dataclasses.replace(config.network, system="morphable", head=str(head))
        config = dataclasses.replace(config, network=network)
    if on_video and scale.two_models:
        first = dataclasses.replace(config, role="detection")
        return first, dataclasses.replace(config, role="tracking", augment=_SLIGHT)
    return (dataclasses.replace(config, role="tracking"),)


def scaled_row(row: Row, scale: Scale) -> TrainConfig:
    """The configuration behind a row, in the size of a scale."""
    return _resized(load_row(row), scale)


def _resized(config: TrainConfig, scale: Scale) -> TrainConfig:
    if scale.schedule is None:
        return config
    network = dataclasses.replace(
        config.network,
        side=scale.side,
        width=scale.width,
        stacks=min(scale.stacks, config.network.stacks),  # [7] is one hourglass at any scale
        depth=scale.depth,
        finetune_width=max(scale.width // 2, 4),
        finetune_hidden=4 * scale.width,
    )
    schedule, loss = scale.schedule, config.loss
    if scale.learning_rates is not None:
        schedule = dataclasses.replace(schedule, learning_rate=scale.learning_rates.of(network))
    if scale.l2_gaussian_radius is not None and loss.heatmap_loss == "l2":
        loss = dataclasses.replace(loss, gaussian_radius=scale.l2_gaussian_radius)
    return dataclasses.replace(config, network=network, loss=loss, schedule=schedule)
