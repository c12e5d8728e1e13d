"""What tests of services start from."""

import pytest
from services.stubs import StubJobs, on_screen, version_of

from medview.services.session import Session
from medview.services.settings import Preferences
from medview.services.tuning import Tuning


@pytest.fixture
def session():
    """A session with a volume on screen."""
    session = Session()
    on_screen(session)
    return session


@pytest.fixture
def jobs():
    """Jobs that the test answers."""
    return StubJobs()


@pytest.fixture
def preferences(tmp_path):
    return Preferences(tmp_path / "settings.json")


@pytest.fixture
def empty_session():
    return Session()


@pytest.fixture
def tuning(jobs, empty_session, tmp_path, monkeypatch):
    """Fine-tuning with the anomaly model chosen, on a session in which nothing is open."""
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path))
    preferences = Preferences(tmp_path / "settings.json")
    made = Tuning(jobs, empty_session, preferences)
    made.wish(version=version_of(made, "anomaly"))
    return made
