"""What tests of services start from."""

import pytest
from services.stubs import StubJobs, on_screen

from medview.services.session import Session
from medview.services.settings import Preferences


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
