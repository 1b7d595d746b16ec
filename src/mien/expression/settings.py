"""The expression reader's numbers; chosen on made clips of twenty-eight val photos, by folds."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ExpressionSettings"]


@dataclass(frozen=True)
class ExpressionSettings:
    """Lengths are cm on the mean head."""

    noise_cm: float = 0.06
    """Error of every point alone, beside the errors that points share, which the basis knows."""
    pose_cm: float = 3.0
    """How far the points may be moved together, as by another pose."""
    expression_spread: float = 0.35
    """A shape's usual strength: what the points hardly show is drawn to 0."""
    sides_spread: float = 0.25
    """How far a shape's left and right usually differ: a side that is badly seen follows the
    other."""
    sparse: float = 3.0
    """Evidence (its log likelihood for a full strength) that a shape needs before it leaves 0."""
    sparse_lids: float = 1.0
    """The same for a blink, which little else is taken for."""
    usual_strength: float = 0.15
    """What a first round must find of a shape for the second to ask as much of it; lids apart."""
    least_strength: float = 0.05
    """Added to it and to what was found: how sharply the second round tells weak from strong."""
    weak_needs: float = 3.0
    """Times the evidence that the second round asks at most, of what the first did not find."""
    strong_drawn: float = 0.12
    """Share of its pull to 0 that a shape keeps at least, however strong the first found it."""
    own_cm: float = 0.4
    """How far a point of a person's neutral lies off what identity modes can say."""
    doubt: float = 0.3
    """Share of what is not yet known of a neutral that counts as error: a wide mouth of the first
    moments may be the person's own."""
    moment_secs: float = 0.05
    """Time after which the points' errors and the expression are taken for new ones."""
    memory_secs: float = 20.0
    """How long what was seen of a neutral counts."""
    learn_every_secs: float = 0.1
    """Between two updates of the neutral."""
    calm: float = 0.3
    """Sum of squared strengths at which a moment counts for a third in the neutral."""
    explained: float = 0.5
    """Share of the found shapes' offsets that a moment does not teach the neutral."""
    open_from: float = 0.7
    """Share of the neutral's opening from which lids teach the neutral: who looks down is not at
    rest."""
    shut_to: float = 0.4
    """Share below which they teach least."""
    shut_ignored: float = 0.9
    """How much of what they would teach is then left out; some people's eyes are that small."""
    open_more: float = 1.0
    """How much more than others lids teach that are wider open than the neutral's: rest is nearer
    to the widest than to the mean of a face that blinks, laughs and looks down."""
    shut_gap: float = 0.35
    """Share of the lids' opening that the networks leave of a shut eye."""
    rest_hz: float = 1.5
    """Cut-off of the low pass for a strength at rest."""
    open_hz: float = 4.0
    """Hz added for a change of one full strength a second."""
