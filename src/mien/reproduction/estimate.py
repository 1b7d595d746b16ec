"""How long a reproduction will take, from a few training steps of each network."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from mien.models import NetworkConfig, build_network
from mien.reproduction.jobs import Job, Training
from mien.reproduction.material import Material
from mien.reproduction.rows import Kind
from mien.training.batches import Batch, draw_crop, training_sets
from mien.training.config import TrainConfig
from mien.training.device import choose_device
from mien.training.landmark_losses import LandmarkLosses
from mien.training.learning import Learner

__all__ = ["PlannedTraining", "plan_trainings"]

_STEPS = 2
_LARGEST_BATCH = 8
_CROPS = 16


@dataclass(frozen=True)
class PlannedTraining:
    """One training of the plan."""

    training: Training
    steps_left: int
    faces_per_sec: float
    """Of all workers together, on cores that nothing else uses."""

    @property
    def hours_left(self) -> float:
        faces = self.steps_left * self.training.config.schedule.batch
        return faces / self.faces_per_sec / 3600


def plan_trainings(jobs: Sequence[Job], material: Material, workers: int) -> list[PlannedTraining]:
    """Each network that is trained, once. Validating and measuring, a few percent, is not in it.

    Raises:
        DataError: the faces to learn from are not where they should be.
    """
    if not jobs:
        return []
    drawing = _core_secs_of_a_crop(jobs[0].trainings[0].config, material)
    speeds: dict[NetworkConfig, float] = {}
    planned: dict[str, PlannedTraining] = {}
    for job in jobs:
        for training in job.trainings if job.row.kind is not Kind.SDM else ():
            network = training.config.network
            if network not in speeds:
                learning = _core_secs_of_a_face(training.config)
                speeds[network] = workers / (drawing + learning)
            left = training.steps_after(training.last())
            planned[training.run.name] = PlannedTraining(training, left, speeds[network])
    return list(planned.values())


def _core_secs_of_a_crop(config: TrainConfig, material: Material) -> float:
    sets, shares = training_sets(config, material.folder, material.turned)
    start = time.process_time()
    for number in range(_CROPS):
        draw_crop(config, sets, shares, np.random.default_rng(number))
    return (time.process_time() - start) / _CROPS


def _core_secs_of_a_face(config: TrainConfig) -> float:
    """By the processor's time on one thread, which other programs disturb least."""
    threads, random = torch.get_num_threads(), torch.get_rng_state()
    torch.set_num_threads(1)
    try:
        return _timed(config)
    finally:
        torch.set_num_threads(threads)
        torch.set_rng_state(random)


def _timed(config: TrainConfig) -> float:
    faces = min(config.schedule.batch, _LARGEST_BATCH)
    model = build_network(config.network)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(model.parameters())
    batch = Batch.of_noise(config, faces)
    learner = Learner(
        model,
        optimiser,
        LandmarkLosses(config.loss),
        choose_device("cpu"),
        clip=config.schedule.clip,
        compute=config.compute,
    )
    learner.step(batch, 1e-6)  # the first makes room for what follows
    start = time.process_time()
    for _ in range(_STEPS):
        learner.step(batch, 1e-6)
    return (time.process_time() - start) / (faces * _STEPS)
