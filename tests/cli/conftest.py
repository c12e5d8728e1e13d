"""What tests of commands share."""

import pytest

from medview.cli.contract import Context
from medview.services.jobs import Jobs


@pytest.fixture(scope="module")
def lasting_children():
    """Commands of this module ask the same children, which a command else starts and ends itself.

    Each start of them takes longer than what most commands do.
    """
    with Jobs(lambda call: call()) as jobs, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Context, "jobs", property(lambda context: jobs))
        yield jobs
