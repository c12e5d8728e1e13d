"""``medview compare``: what it is given."""

import pytest

from medview.cli import main


@pytest.mark.parametrize("pair", [("cxr", "cxr-armed"), ("icu@1.0", "brain-age@1.0")])
def test_versions_of_two_models_are_not_compared(pair, tmp_path, capfd):
    out = tmp_path / "o"
    assert main(["compare", *pair, "--data", str(tmp_path), "--out", str(out)]) == 2
    said = capfd.readouterr().err
    assert f"{pair[0]} and {pair[1]} are not versions of one model." in said
    assert not out.exists()
