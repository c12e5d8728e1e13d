"""Shipped files are found in a checkout."""

from medview.domain import resources
from medview.domain.resources import resource


def test_a_checkout_keeps_resources_beside_the_package():
    assert resource("fonts").parent.is_dir()
    assert resource("fonts", "a.otf") == resource() / "fonts" / "a.otf"


def test_an_installed_package_keeps_them_inside(tmp_path, monkeypatch):
    (tmp_path / "medview" / "resources").mkdir(parents=True)
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "medview")
    assert resource("weights") == tmp_path / "medview" / "resources" / "weights"
