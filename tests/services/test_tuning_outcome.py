"""The outcome of a fine-tuning: kept once, by a name, or thrown away."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from services.stubs import LaterWriter

from medview.domain.errors import WriteError
from medview.services import tuning_outcome
from medview.services.session import Session
from medview.services.tuned import TuningState
from medview.services.tuning_outcome import TuningOutcome


@pytest.fixture
def trained(monkeypatch):
    """A training that is done, with a disk that takes its time."""
    made, noted, cleared, looked, forgotten = [], [], [], [], []
    monkeypatch.setattr(
        tuning_outcome,
        "register",
        lambda weights, name: made.append(name) or SimpleNamespace(name=f"anomaly@{name}"),
    )
    monkeypatch.setattr(tuning_outcome, "note", lambda what, body: noted.append((what, body)))
    state, disk, session = TuningState(), LaterWriter(), Session()
    state.set(phase="done", outcome={"epochs": 2}, lines=("a line",))
    folder = SimpleNamespace(
        weights=Path("weights"),
        clear=lambda: cleared.append(True),
        forget=lambda: forgotten.append(True),
    )
    models = SimpleNamespace(look=lambda: looked.append(True))
    outcome = TuningOutcome(state, folder, session, SimpleNamespace(writer=disk), models)
    return SimpleNamespace(
        outcome=outcome, state=state, disk=disk, session=session,
        made=made, noted=noted, cleared=cleared, looked=looked, forgotten=forgotten,
    )  # fmt: skip


def test_a_version_is_copied_beside_the_window_and_only_once(trained):
    trained.outcome.keep("ward-1")
    trained.outcome.keep("ward-1")
    assert (trained.made, trained.state.now.phase) == ([], "done")
    assert len(trained.disk.waiting) == 1
    trained.disk.go_on()
    assert (trained.made, trained.state.now.kept) == (["ward-1"], "anomaly@ward-1")
    assert trained.noted == [("accepted", {"version": "anomaly@ward-1", "worse": []})]
    assert trained.looked == [True]
    assert trained.forgotten == [True]  # what is kept is not offered again after a crash


def test_a_version_that_cannot_be_kept_is_said_and_can_be_tried_again(trained, monkeypatch):
    def full(weights, name):
        raise WriteError("the disk is full", file=name)

    with monkeypatch.context() as patch:
        patch.setattr(tuning_outcome, "register", full)
        trained.outcome.keep("ward-1")
        trained.disk.go_on()
    assert trained.session.message.text == "ward-1: the disk is full."
    assert trained.state.now.phase == "done"
    assert trained.forgotten == []
    trained.outcome.keep("ward-1")
    trained.disk.go_on()
    assert trained.state.now.phase == "kept"


def test_one_that_is_worse_on_the_locked_set_is_kept_only_where_that_is_said(trained):
    trained.state.set(outcome={"before_after": {"worse": ["reference dice", "local mae"]}})
    trained.outcome.keep("ward-1")
    assert trained.disk.waiting == []
    assert "worse on the locked set (reference dice)" in trained.session.message.text
    trained.outcome.keep("ward-1", accept_worse=True)
    trained.disk.go_on()
    assert trained.noted[0][1]["worse"] == ["reference dice", "local mae"]
    assert trained.state.now.phase == "kept"


def test_while_other_cases_are_looked_at_the_version_is_kept_and_the_panel_left_alone(trained):
    trained.outcome.keep("ward-1")
    trained.state.set(phase="looking")
    trained.disk.go_on()
    assert (trained.made, trained.state.now.phase) == (["ward-1"], "looking")


def test_what_is_rejected_is_deleted_and_forgotten(trained):
    trained.outcome.reject()
    now = trained.state.now
    assert trained.cleared == [True]
    assert (now.phase, now.outcome, now.lines) == ("ready", {}, ())
