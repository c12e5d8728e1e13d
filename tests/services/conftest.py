"""What tests of services start from."""

import pytest
from services.stubs import on_screen

from medview.services.session import Session


@pytest.fixture
def session():
    """A session with a volume on screen."""
    session = Session()
    on_screen(session)
    return session
