"""Known coefficients put on the landmark basis come back, whoever the person is."""

from __future__ import annotations

import numpy as np
import pytest
from jaxtyping import Float

from mien.expression import ABSENT, ARKIT, SHAPES, ExpressionReader, FaceExpressions
from mien.expression.basis import load_basis
from mien.expression.bounded import solve_bounded
from mien.expression.settings import ExpressionSettings
from mien.geometry import rotation_from_angles
from mien.geometry.jaw import with_dense_jaw
from mien.markup import load_markup
from mien.types import Expression, Face, HeadPose, Landmarks

STEP_SECS = 0.04


def person(seed: int) -> Float[np.ndarray, "68 3"]:
    """Somebody's neutral face, cm."""
    basis = load_basis()
    own = np.random.default_rng(seed).normal(size=len(basis.identity_cm))
    return basis.mean_cm + np.tensordot(own, basis.identity_cm, 1)


def seen(
    neutral: Float[np.ndarray, "68 3"], strengths: dict[str, float], pose: HeadPose
) -> Landmarks:
    """The points that networks see of a face that does something, anywhere in a picture."""
    full = np.array([strengths.get(name, 0.0) for name in SHAPES])
    face = neutral + np.tensordot(full, load_basis().shown_cm, 1)
    points = 9.0 * face @ rotation_from_angles(pose).T + [320, 200, 5]
    return Landmarks(points, np.full(68, 0.9))


def watched(neutral: Float[np.ndarray, "68 3"], pose: HeadPose) -> ExpressionReader:
    """A reader that saw the person at rest for three seconds."""
    reader = ExpressionReader()
    for _ in range(75):
        reader.read(seen(neutral, {}, pose), STEP_SECS)
    return reader


def settled(reader: ExpressionReader, landmarks: Landmarks) -> Expression:
    for _ in range(5):
        expression = reader.read(landmarks, STEP_SECS)
    return expression


def test_every_name_of_arkit_is_read_or_declared_absent() -> None:
    assert len(ARKIT) == len(set(ARKIT)) == 52
    assert set(SHAPES) | set(ABSENT) == set(ARKIT)
    assert not set(SHAPES) & set(ABSENT)
    with pytest.raises(KeyError, match="tongueOut"):
        Expression(SHAPES, np.zeros(len(SHAPES)))["tongueOut"]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_face_at_rest_is_at_rest_whoever_it_is(seed: int) -> None:
    pose = HeadPose(15, 5, -10)
    expression = settled(watched(person(seed), pose), seen(person(seed), {}, pose))
    assert expression.strengths.max() < 0.1


@pytest.mark.parametrize(
    ("names", "least"),
    [
        (("jawOpen",), 0.45),
        (("mouthSmileLeft", "mouthSmileRight"), 0.45),
        (("mouthPucker",), 0.3),  # the networks show little of it
        (("browInnerUp", "browOuterUpLeft", "browOuterUpRight"), 0.45),
    ],
)
@pytest.mark.parametrize("yaw_deg", [-30.0, 0.0, 30.0])
def test_what_a_face_does_is_read_and_nothing_else(
    names: tuple[str, ...], least: float, yaw_deg: float
) -> None:
    neutral, pose = person(3), HeadPose(yaw_deg, 0, 0)
    expression = settled(
        watched(neutral, pose), seen(neutral, dict.fromkeys(names, 0.8), HeadPose(yaw_deg, 5, 5))
    )
    done = [expression[name] for name in names]
    assert min(done) > least
    others = [name for name in SHAPES if name not in names]
    assert max(expression[name] for name in others) < min(done)


def test_left_is_the_persons_left() -> None:
    """Half a smile of the person's left is at the picture's right."""
    neutral, pose = person(4), HeadPose(0, 0, 0)
    face = seen(neutral, {"mouthSmileLeft": 1.0}, pose)
    rest = seen(neutral, {}, pose)
    moved = np.linalg.norm(face.points_image - rest.points_image, axis=1)
    assert moved[54] > 3 * moved[48]
    assert face.points_image[54, 0] > face.points_image[48, 0]
    expression = settled(watched(neutral, pose), face)
    assert expression["mouthSmileLeft"] > expression["mouthSmileRight"] + 0.2


def test_a_mirrored_face_has_mirrored_strengths() -> None:
    mirror = list(load_markup(68).mirror)
    neutral, pose = person(5), HeadPose(0, 0, 0)

    def mirrored(landmarks: Landmarks) -> Landmarks:
        points = landmarks.points_image[mirror] * [-1, 1, 1] + [639, 0, 0]
        return Landmarks(points, landmarks.confidence)

    reader, other = ExpressionReader(), ExpressionReader()
    for strength in (*[0.0] * 50, 0.3, 0.6, 0.9):
        face = seen(neutral, {"eyeBlinkLeft": strength, "browDownLeft": strength}, pose)
        expression, opposite = reader.read(face, STEP_SECS), other.read(mirrored(face), STEP_SECS)
    assert expression["eyeBlinkLeft"] == pytest.approx(opposite["eyeBlinkRight"], abs=0.05)
    assert expression["browDownLeft"] == pytest.approx(opposite["browDownRight"], abs=0.05)
    assert expression["eyeBlinkLeft"] > expression["eyeBlinkRight"] + 0.2


@pytest.mark.parametrize("seed", range(4))
def test_a_blink_shuts_the_persons_own_eyes_within_a_frame(seed: int) -> None:
    neutral, pose = person(seed), HeadPose(0, 0, 0)
    reader = watched(neutral, pose)
    lids = seen(neutral, {}, pose).points_image.copy()
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
        lids[upper] = 0.2 * lids[upper] + 0.8 * lids[lower]
    expression = reader.read(Landmarks(lids, np.full(68, 0.9)), STEP_SECS)
    assert min(expression["eyeBlinkLeft"], expression["eyeBlinkRight"]) > 0.5


def test_84_points_say_what_their_68_say() -> None:
    neutral, pose = person(6), HeadPose(10, 0, 0)
    face = seen(neutral, {"jawOpen": 0.6}, pose)
    dense = Landmarks(with_dense_jaw(face.points_image), np.full(84, 0.9))
    few, many = ExpressionReader().read(face, 0), ExpressionReader().read(dense, 0)
    assert few.names == many.names
    np.testing.assert_allclose(few.strengths, many.strengths, atol=1e-9)


def test_people_do_not_mix() -> None:
    pose = HeadPose(0, 0, 0)
    people = [person(7), person(8)]
    together, alone = FaceExpressions(), FaceExpressions()
    for frame in range(30):
        landmarks = [seen(one, {"jawOpen": 0.2}, pose) for one in people]
        faces = [Face(n, 1.0, one, pose) for n, one in enumerate(landmarks)]
        both = together.update(faces, frame * STEP_SECS)
        single = alone.update(faces[1:], frame * STEP_SECS)
    np.testing.assert_array_equal(both[1].expression.strengths, single[0].expression.strengths)
    assert faces[0].expression is None


def test_a_bounded_solution_meets_the_conditions_of_an_optimum() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        root = rng.normal(size=(30, 20))
        hessian, gradient = root.T @ root + 0.1 * np.eye(20), 20 * rng.normal(size=20)
        found = solve_bounded(hessian, gradient, rng.random(20) * 2 - 0.5)
        pull = gradient - hessian @ found
        assert found.min() >= 0
        assert found.max() <= 1
        assert np.abs(pull[(found > 0) & (found < 1)]).max(initial=0) < 1e-6
        assert pull[found == 0].max(initial=0) < 1e-6
        assert pull[found == 1].min(initial=0) > -1e-6


def test_the_way_out_of_a_circle_of_guesses_leads_to_the_same_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One guess alone is wrong: then it goes from there one unknown after the other."""
    rng = np.random.default_rng(1)
    for _ in range(10):
        root = rng.normal(size=(30, 20))
        hessian, gradient = root.T @ root + 0.1 * np.eye(20), 20 * rng.normal(size=20)
        start = rng.random(20) * 2 - 0.5
        expected = solve_bounded(hessian, gradient, start)
        assert {0.0, 1.0} < set(expected)
        with monkeypatch.context() as patched:
            patched.setattr("mien.expression.bounded._ROUNDS", 1)
            found = solve_bounded(hessian, gradient, start)
        np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("wrong", [np.zeros((68, 3)), np.full((68, 3), np.nan)])
def test_points_that_are_no_face_leave_it_as_it_was(wrong: Float[np.ndarray, "68 3"]) -> None:
    neutral, pose = person(0), HeadPose(0, 0, 0)
    reader = watched(neutral, pose)
    before = settled(reader, seen(neutral, {"jawOpen": 0.8}, pose))
    during = reader.read(Landmarks(wrong, np.full(68, 0.9)), STEP_SECS)
    np.testing.assert_array_equal(before.strengths, during.strengths)
    after = reader.read(seen(neutral, {"jawOpen": 0.8}, pose), STEP_SECS)
    np.testing.assert_allclose(after.strengths, before.strengths, atol=0.05)
    first = ExpressionReader().read(Landmarks(wrong, np.full(68, 0.9)), 0)
    assert first.strengths.max() == 0


@pytest.mark.parametrize("seed", range(4))
def test_who_looked_down_at_first_blinks_when_looking_up(seed: int) -> None:
    """Six seconds of shut lids, of which networks leave a third open, are not taken for the
    person's eyes at rest."""
    neutral, pose = person(seed), HeadPose(0, 0, 0)
    down = seen(neutral, {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}, pose)
    reader = ExpressionReader()
    for _ in range(150):
        reader.read(down, STEP_SECS)
    for _ in range(25):
        reader.read(seen(neutral, {}, pose), STEP_SECS)
    after = settled(reader, down)
    assert min(after["eyeBlinkLeft"], after["eyeBlinkRight"]) > 0.4


def test_what_may_be_the_persons_own_is_doubted_at_first_and_believed_later() -> None:
    pose = HeadPose(0, 0, 0)
    first, doubted = [], []
    for seed in range(6):
        for doubt, sums in ((0.0, first), (ExpressionSettings().doubt, doubted)):
            reader = ExpressionReader(ExpressionSettings(doubt=doubt))
            sums.append(reader.read(seen(person(seed), {}, pose), 0.0).strengths.sum())
    assert sum(doubted) < 0.8 * sum(first)
    neutral = person(0)
    for doubt in (0.0, ExpressionSettings().doubt):
        reader = ExpressionReader(ExpressionSettings(doubt=doubt))
        for _ in range(150):
            reader.read(seen(neutral, {}, pose), STEP_SECS)
        smiling = seen(neutral, {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8}, pose)
        assert settled(reader, smiling)["mouthSmileLeft"] > 0.55


@pytest.mark.parametrize("name", ["mouthPucker", "mouthFunnel", "noseSneerLeft"])
def test_a_shape_is_not_told_as_a_little_of_everything(name: str) -> None:
    """A second round asks more of what the first found weak: with points that err, the one shape
    that is done is nearer to what it is, and of the others less is made up than by one round."""
    one_round = ExpressionSettings(weak_needs=1.0, strong_drawn=1.0, usual_strength=1e6)
    rng, neutral, pose = np.random.default_rng(2), person(6), HeadPose(10, 0, 0)
    others = [place for place, shape in enumerate(SHAPES) if shape[:9] != name[:9]]
    errors, made_up = [], []
    for settings in (ExpressionSettings(), one_round):
        reader, read = ExpressionReader(settings), []
        for _ in range(75):
            reader.read(seen(neutral, {}, pose), STEP_SECS)
        for _ in range(10):
            face = seen(neutral, {name: 0.8}, pose)
            points = face.points_image + rng.normal(scale=0.4, size=(68, 3))
            read.append(reader.read(Landmarks(points, face.confidence), STEP_SECS).strengths)
        last = np.mean(read[3:], axis=0)
        errors.append(abs(last[SHAPES.index(name)] - 0.8))
        made_up.append(float(last[others].sum()))
    assert errors[0] < errors[1]
    assert made_up[0] < 0.9 * made_up[1]
