from medview.services.report_text import ReaderText, reader_text


def test_headings_sort_the_words():
    text = reader_text(
        "# Question\nWhy?\n\n## Comparison:\nnone\n# FINDINGS\n**Two** lesions.\n- one\n- two\n"
        "# Impression\nBenign.\n"
    )
    assert text == ReaderText("Why?", "none", "Two lesions.\n• one\n• two", "Benign.")


def test_a_word_with_a_colon_is_a_heading_too():
    text = reader_text("Findings:\nNothing.\nConclusion:\nNormal.")
    assert (text.findings, text.impression, text.in_one) == ("Nothing.", "Normal.", False)


def test_a_word_without_a_colon_and_other_words_with_one_are_text():
    text = reader_text("Findings:\nImpression\nSee below:\nImpression:\nNormal.")
    assert (text.findings, text.impression) == ("Impression\nSee below:", "Normal.")


def test_a_text_without_headings_is_findings_and_impression_in_one():
    text = reader_text("Normal brain.\nNo lesion: nothing to add.")
    assert text.in_one
    assert text.findings == "Normal brain.\nNo lesion: nothing to add."
    assert text.impression == ""


def test_unknown_headings_belong_to_the_findings():
    text = reader_text("# Technique\n3 T\n# Impression\nNormal.")
    assert text.findings == "3 T"
    assert text.impression == "Normal."
    assert not text.in_one


def test_answers_to_the_findings_of_the_model_are_kept_by_number():
    text = reader_text("# Agreement\n1: agree\n- Finding 2: rejected: vessel\n3. unsure\nthanks\n")
    assert text.verdicts == {1: "agree", 2: "rejected: vessel", 3: "unsure"}
    assert text.findings == "thanks"


def test_an_empty_text_says_nothing():
    assert reader_text("\n\n") == ReaderText()
