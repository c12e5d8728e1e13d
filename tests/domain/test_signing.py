import pytest

from medview.domain.signing import Statement, changes


def said(**parts):
    return tuple(Statement.of(name, text) for name, text in parts.items())


def test_equal_statements_have_no_changes():
    assert changes(said(a="x", b="y"), said(b="y", a="x")) == ()


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (said(Impression="benign"), said(Impression="malignant"), "changed; before: “benign”"),
        (said(Impression=""), said(Impression="malignant"), "Impression added."),
        (said(), said(Impression="malignant"), "Impression added."),
        (said(Impression="benign"), said(), "changed; before: “benign”"),
        (said(Impression="a\n b"), said(Impression="c"), "before: “a b”"),
        (said(Impression="x" * 400), said(Impression="c"), f"“{'x' * 300} …”"),
    ],
)
def test_a_change_says_what_stood_there_before(before, now, words):
    (sentence,) = changes(before, now)
    assert words in sentence


def test_of_a_hash_alone_only_the_change_is_told():
    before = (Statement("Impression", "", Statement.of("Impression", "benign").sha256),)
    assert changes(before, said(Impression="benign")) == ()
    (sentence,) = changes(before, said(Impression="malignant"))
    assert sentence == "Impression changed; the wording before is in the earlier report."
