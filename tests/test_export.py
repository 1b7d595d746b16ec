"""Weight files: onnxruntime agrees with torch, pixels keep the convention, the card fits."""

from __future__ import annotations

import ast
import copy
import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import scipy.stats
import torch
from torch import Tensor, nn

import mien
from mien.errors import ModelError, OutputError
from mien.export import CONFIDENCE_RADIUS, Deployed, digest_of, export_run
from mien.export import landmarker as export
from mien.geometry import FACE_SHARE, Similarity, warp_crop
from mien.models import Landmarker, NetworkConfig
from mien.runtime.card import ModelCard
from mien.runtime.session import open_weights, read_card
from mien.training.checkpoint import Checkpoint, load_checkpoint
from tinyrun import TINY, write_checkpoint

SIDE = TINY.network.side


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@dataclass(frozen=True)
class Exported:
    """A weight file, and the network it was made from."""

    file: Path
    card: ModelCard
    checkpoint: Checkpoint
    network: Landmarker


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    folder = tmp_path_factory.mktemp("export")
    network = write_checkpoint(folder / "best.pt")
    checkpoint = load_checkpoint(folder / "best.pt")
    results = {"helen_oracle": {"nme": 0.03, "init": "oracle"}}
    card = export_run(checkpoint, folder / "tiny.onnx", results)
    return Exported(folder / "tiny.onnx", card, checkpoint, network)


def noise(count: int) -> np.ndarray:
    rng = np.random.default_rng(count)
    return rng.integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_any_number_of_crops_gives_what_torch_gives(exported: Exported, count: int) -> None:
    batch = open_weights(exported.file, threads=1).run(noise(count))
    with torch.inference_mode():
        expected = Deployed(exported.network)(torch.from_numpy(noise(count)))
    for ours, theirs in zip(
        (batch.points_crop, batch.confidence, batch.score), expected, strict=True
    ):
        assert ours.shape == tuple(theirs.shape)
        np.testing.assert_allclose(ours, theirs.numpy(), atol=2e-3)
    assert batch.points_crop.dtype == np.float32


def test_a_face_is_the_same_alone_and_among_others(exported: Exported) -> None:
    weights = open_weights(exported.file, threads=1)
    crops = noise(3)
    np.testing.assert_allclose(
        weights.run(crops[1:2]).points_crop[0], weights.run(crops).points_crop[1], atol=1e-3
    )


def test_the_card_lies_inside(exported: Exported) -> None:
    card = read_card(exported.file)
    assert card == exported.card
    assert (card.name, card.role, card.markup, card.side) == ("tiny", "tracking", 68, SIDE)
    assert card.parameters == sum(p.numel() for p in exported.network.parameters())
    assert card.training_sources == ("helen", "lfw")
    assert card.licence == "research"
    assert card.results == {"helen_oracle": {"nme": 0.03, "init": "oracle"}}
    assert card.confidence_radius == CONFIDENCE_RADIUS
    assert card.gflops > 0


def test_the_cards_hash_is_that_of_the_weights(exported: Exported) -> None:
    graph = onnx.load(exported.file)
    stored = b"".join(tensor.raw_data for tensor in graph.graph.initializer)
    assert exported.card.sha256 == digest_of(graph) == hashlib.sha256(stored).hexdigest()
    graph.graph.initializer[0].raw_data = bytes(len(graph.graph.initializer[0].raw_data))
    assert digest_of(graph) != exported.card.sha256


def test_the_graph_is_traced_in_one_way() -> None:
    """No room but one calls the exporter, so that all files come of the same care."""
    source = Path(mien.__path__[0])
    calls = [
        str(file.relative_to(source))
        for file in sorted(source.rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("onnx.export")
    ]
    assert calls == ["export/onnx_graph.py"]


def test_the_file_stands_alone_and_names_no_ones_folders(exported: Exported) -> None:
    assert [file.name for file in exported.file.parent.glob("tiny*")] == ["tiny.onnx"]
    onnx.checker.check_model(str(exported.file))
    contents = exported.file.read_bytes()
    assert b"/src/mien" not in contents
    assert str(Path.home()).encode() not in contents
    assert b"pkg.torch" not in contents


def test_nothing_is_written_when_onnxruntime_disagrees(
    exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The graph of one network under the weights of another."""
    monkeypatch.setattr(export, "_to_onnx", lambda deployed: onnx.load(exported.file))
    write_checkpoint(tmp_path / "other.pt", seed=1)
    with pytest.raises(ModelError, match=r"disagree on 'points' by .* nothing was written"):
        export_run(load_checkpoint(tmp_path / "other.pt"), tmp_path / "out.onnx")
    assert not list(tmp_path.glob("out*"))
    export_run(exported.checkpoint, tmp_path / "out.onnx")  # its own weights agree
    assert (tmp_path / "out.onnx").exists()


def test_outputs_that_are_no_numbers_are_refused(exported: Exported, tmp_path: Path) -> None:
    deployed = Deployed(copy.deepcopy(exported.network)).eval()
    with torch.no_grad():
        deployed.landmarker.finetune.shape.bias.fill_(math.nan)
    with pytest.raises(ModelError, match="disagree on 'points' by nan"):
        export._check_parity(deployed, exported.file.read_bytes())


def test_a_place_that_cannot_be_written_is_an_output_error(
    exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_to_onnx", lambda deployed: onnx.load(exported.file))
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        export_run(exported.checkpoint, tmp_path / "file" / "out.onnx")


class DrawnHeatmaps(nn.Module):
    """Stands where a network reads heatmaps from features: gives those that were drawn."""

    def __init__(self, heatmaps: Tensor) -> None:
        super().__init__()
        self.logits = torch.logit(heatmaps.clamp(1e-6, 1 - 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        return self.logits.expand(len(x), -1, -1, -1)


def drawn(places: np.ndarray, side: int = 64) -> Deployed:
    """An untrained network of 256 px (its finetune module corrects nothing) with these heatmaps:
    a Gaussian each, written at heatmap pixels with centres at integers."""
    config = NetworkConfig(side=256, width=4, stacks=1, depth=1, finetune_width=4)
    landmarker = Landmarker(config)
    y, x = np.mgrid[:side, :side]
    squared = (x - places[:, 0, None, None]) ** 2 + (y - places[:, 1, None, None]) ** 2
    heatmaps = torch.from_numpy(np.exp(-squared / (2 * (5 / 3) ** 2))).float()[None]
    landmarker.stages[-1].heatmaps = DrawnHeatmaps(heatmaps)
    return Deployed(landmarker).eval()


def test_a_heatmap_pixel_is_the_middle_of_its_four_crop_pixels() -> None:
    places = np.random.default_rng(0).uniform(10, 53, (68, 2))
    with torch.inference_mode():
        points, _, _ = drawn(places)(torch.zeros(1, 256, 256, 3, dtype=torch.uint8))
    # Heatmap pixel 0 covers crop pixels 0 to 3, whose middle is 1.5.
    np.testing.assert_allclose(points[0, :, :2], places * 4 + 1.5, atol=2e-3)


def test_a_resized_crop_agrees_with_the_heatmaps_pixels() -> None:
    """The crop cut at 64 px instead of 256 shows a dot at the heatmap's own pixel."""
    image = np.zeros((256, 256, 3), np.uint8)
    image[100:104, 40:44] = 255
    small = warp_crop(image, Similarity(4.0, 0.0, (1.5, 1.5)), 64)
    assert np.argwhere(small[..., 0] > 200).tolist() == [[25, 10]]
    assert (10 * 4 + 1.5, 25 * 4 + 1.5) == (41.5, 101.5)


def test_depth_is_in_pixels_about_its_mean() -> None:
    from mien.markup import load_markup

    with torch.inference_mode():
        points, _, _ = drawn(np.full((68, 2), 32.0))(torch.zeros(1, 256, 256, 3, dtype=torch.uint8))
    depth = load_markup(68).mean_shape[:, 2] * FACE_SHARE * 256
    np.testing.assert_allclose(points[0, :, 2], depth - depth.mean(), atol=1e-3)


def test_confidence_is_the_share_of_the_errors_law_within_the_radius() -> None:
    deployed = drawn(np.full((68, 2), 32.0))
    expected_errors = torch.linspace(0.002, 0.3, 68)
    with torch.no_grad():
        deployed.landmarker.finetune.quality.bias[:68] = expected_errors.log()
        _, confidence, score = deployed(torch.zeros(1, 256, 256, 3, dtype=torch.uint8))
    radius = CONFIDENCE_RADIUS * FACE_SHARE
    shape = 1.75
    scales = expected_errors.numpy() / math.gamma(1 + 1 / shape)
    law = scipy.stats.weibull_min(shape, scale=scales)
    np.testing.assert_allclose(law.mean(), expected_errors, rtol=1e-5)
    np.testing.assert_allclose(confidence[0], law.cdf(radius), atol=1e-5)
    below_one = confidence[0].numpy() < 1  # single precision says 1 of the smallest errors
    assert below_one.sum() > 60
    assert (np.diff(confidence[0].numpy())[below_one[1:]] < 0).all()
    # Drawn from that law, as many errors lie within the radius.
    errors = scales[10] * np.random.default_rng(0).weibull(shape, 20000)
    assert float(confidence[0, 10]) == pytest.approx(float((errors <= radius).mean()), abs=0.01)
    assert float(score[0]) == 0.5


def test_the_graph_has_the_documented_door(exported: Exported) -> None:
    session = onnxruntime.InferenceSession(str(exported.file), providers=["CPUExecutionProvider"])
    (crops,) = session.get_inputs()
    assert (crops.name, crops.type, crops.shape[1:]) == ("crops", "tensor(uint8)", [SIDE, SIDE, 3])
    assert isinstance(crops.shape[0], str)
    assert [output.name for output in session.get_outputs()] == ["points", "confidence", "score"]
