"""What is told of how a head lay: the step that turned it upright, and doubts."""

from __future__ import annotations

from medview.domain.volume import Note
from medview.learning.upright import WIDEST_DEG, Pose


def turned_words(pose: Pose | None) -> tuple[str, ...]:
    """The step that turned the head upright; nothing where it was left as it lay."""
    if pose is None or not pose.is_turned:
        return ()
    turns = zip(("pitch", "roll", "yaw"), pose.pitch_roll_yaw, strict=True)
    words = ", ".join(f"{name} {round(angle):+d}" for name, angle in turns)
    return (
        f"turned upright: the head lay {pose.degrees:.0f} degrees from the mean head ({words}; "
        "rigid registration)",
    )


def lie_notes(pose: Pose | None) -> list[Note]:
    """A doubt about a head that lies as hardly any does, or of which nothing can be told."""
    if pose is None:
        return []
    if not pose.known:
        words = "how the head lies could not be told: it is too unlike the mean head"
    elif pose.degrees > WIDEST_DEG:
        words = (
            f"the head lies turned by {pose.degrees:.0f} degrees against those learnt from, or the "
            "header says so wrongly; it was turned upright, but age and volumes mean less here"
        )
    else:
        return []
    return [Note("OUTSIDE_TRAINING", words)]
