"""What a reproduction has to do: a job a row and seed, each bound to all that decides it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mien.reproduction.material import Material
from mien.reproduction.results import RowResult, digest, fingerprint, read_result
from mien.reproduction.rows import TABLES, Kind, Row
from mien.reproduction.scale import Scale, trainings
from mien.reproduction.targets import Target
from mien.training.checkpoint import Checkpoint, load_checkpoint
from mien.training.config import TrainConfig

__all__ = ["Job", "Reproduction", "Training", "plan_jobs"]

_MATCHED = "matched at an overlap of 0.3"
"""Films measured otherwise (``evaluation.videos``) are measured anew."""


@dataclass(frozen=True)
class Reproduction:
    """One table or figure, at one scale, in one folder."""

    target: Target
    scale: Scale
    material: Material
    out: Path
    detector: str
    """That starts the tracker on films; ``truth`` tells it where faces are."""
    workers: int


@dataclass(frozen=True)
class Training:
    """One network to train, or trained."""

    config: TrainConfig
    run: Path

    def last(self) -> Checkpoint | None:
        """Its last checkpoint, if it has begun.

        Raises:
            ModelError: it cannot be read.
        """
        file = self.run / "last.pt"
        return load_checkpoint(file) if file.is_file() else None

    def finished(self) -> Checkpoint | None:
        """Its last checkpoint, if that is its end.

        Raises:
            ModelError: it cannot be read.
        """
        last = self.last()
        return last if last is not None and self.steps_after(last) == 0 else None

    def steps_after(self, last: Checkpoint | None) -> int:
        """Steps that are still to be trained after a checkpoint."""
        return max(0, self.config.schedule.steps - (last.step if last else 0))


@dataclass(frozen=True)
class Job:
    """One row from one seed."""

    row: Row
    seed: int
    trainings: tuple[Training, ...]
    """Model 1 before model 2; for SDM one, of which only the configuration counts."""
    fingerprint: str
    file: Path
    """Where its result lies, once there is one."""

    def result(self) -> RowResult | None:
        """Its result, if it is finished."""
        return read_result(self.file, self.fingerprint)


def plan_jobs(work: Reproduction) -> tuple[Job, ...]:
    """All rows that are trained, row by row and seed by seed.

    Tables in one folder share networks: two rows with one fingerprint are one training.

    Raises:
        ConfigError: a row needs what was not given.
    """
    return tuple(
        _job(work, row, seed)
        for row in TABLES[work.target].rows
        if row.kind is not Kind.PUBLISHED
        for seed in work.scale.seeds
    )


def _job(work: Reproduction, row: Row, seed: int) -> Job:
    scale, material = work.scale, work.material
    on_video = work.target.on_video
    configs = trainings(row, scale, material.data, on_video=on_video, seed=seed, head=material.head)
    learned = (material.learned_sha256, str(work.workers))
    prints = [fingerprint(config, *learned) for config in configs]
    runs = [
        _run_folder(work.out, row, config, own) for config, own in zip(configs, prints, strict=True)
    ]
    how: tuple[str, ...] = (
        (work.detector, repr(scale.tracker), _MATCHED) if on_video else ("stills",)
    )
    if row.kind is Kind.SDM:
        how = ("sdm", str(scale.sdm_faces))
    whole = digest(*prints, material.measured_sha256, *how)
    return Job(
        row,
        seed,
        tuple(Training(*pair) for pair in zip(configs, runs, strict=True)),
        whole,
        work.out / "results" / f"{row.name}-seed{seed}-{whole[:8]}.json",
    )


def _run_folder(out: Path, row: Row, config: TrainConfig, own: str) -> Path:
    """The folder that holds this run already, under whatever row's name, or a new one."""
    there = sorted((out / "networks").glob(f"*-{own[:12]}"))
    new = out / "networks" / f"{row.name}-{config.role}-seed{config.seed}-{own[:12]}"
    return there[0] if there else new
