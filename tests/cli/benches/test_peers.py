import pytest

from medview.cli.benches import peers
from medview.cli.benches.ct_series import write_series
from medview.domain.progress import Silent


@pytest.mark.parametrize(
    "work",
    [peers.simpleitk_series, peers.pydicom_loop, peers.simpleitk_scan, peers.pydicom_scan],
)
def test_every_peer_reads_the_series_and_says_how_long_it_took(tmp_path, work):
    write_series(tmp_path / "series", 3, size=16)
    assert 0 < work(Silent(), tmp_path / "series") < 60
