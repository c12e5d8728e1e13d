"""What holds for every command, tried on small commands that stand in this file."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import numpy as np
import pytest

import medview.cli
from medview.cli import main
from medview.cli.contract import Answer, command
from medview.cli.output import Voice
from medview.domain.errors import DataError, ModelInputError
from medview.stopping import Stopped


@command("echo")
@click.argument("word")
def echo(context, word):
    """Say what was said."""
    context.say("listening")
    return Answer({"word": word, "seed": context.options.seed, "device": context.options.device})


@command("odd", words=lambda body: f"{len(body['values'])} values")
def odd(context):
    """Answer with what JSON cannot hold by itself."""
    values = np.array([1.5, np.nan, np.inf])
    return Answer({"values": values, "n": np.int16(3), "file": Path("a/ü.dcm"), "no": float("nan")})


@command("noise")
def noise(context):
    """Print from Python, from C and from a child while working."""
    print("python")
    os.write(1, b"descriptor\n")
    subprocess.run([sys.executable, "-c", "print('child')"], check=True)
    return Answer({"ok": True})


@command("verdict")
def verdict(context):
    """Give the answer no."""
    return Answer({"holds": False}, exit_code=1, kind="verify", text="It does not hold.")


@command("refuse")
def refuse(context):
    """Refuse the input."""
    raise ModelInputError("is a chest film", file="IM1.dcm", do="Choose a head MR.", skipped=2)


@command("break")
def break_(context):
    """Fail in a way that nobody foresaw."""
    raise ZeroDivisionError("division of /home/user/A^B.dcm")


@command("full")
def full(context):
    """Fail as a full disk does."""
    raise OSError(28, "No space left on device", "/home/user/out/result.json")


def doze():
    """Do nothing until interrupted: a signal just before a ``pause`` would go unheard."""
    while True:
        time.sleep(0.05)


@command("wait")
def wait(context):
    """Wait until interrupted."""
    print("waiting", file=sys.stderr, flush=True)
    doze()
    return Answer({})


@command("tidy")
def tidy(context):
    """Wait until interrupted, and put things in order."""
    try:
        print("waiting", file=sys.stderr, flush=True)
        doze()
    finally:
        print("tidying", file=sys.stderr, flush=True)
        time.sleep(0.5)
        print("tidy", file=sys.stderr, flush=True)
    return Answer({})


@command("look")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path))
def look(context, path, out):
    """Say which paths arrived."""
    return Answer({"path": path, "out": out})


@command("flood")
def flood(context):
    """Say more than a pipe holds."""
    return Answer({"text": "x" * 1_000_000})


NAMES = ["echo", "odd", "noise", "verdict", "refuse", "break_", "full", "flood"]
NAMES += ["wait", "tidy", "look"]
LAUNCH = """
import sys, medview.cli
medview.cli.COMMANDS.update({n.strip("_"): f"test_contract:{n}" for n in sys.argv.pop(1).split()})
sys.exit(medview.cli.main())
"""


@pytest.fixture(autouse=True)
def _commands(monkeypatch):
    monkeypatch.setitem(sys.modules, "here", sys.modules[__name__])
    for name in NAMES:
        monkeypatch.setitem(medview.cli.COMMANDS, name.strip("_"), f"here:{name}")


@pytest.mark.parametrize("words", [[""], ["a", "--out", ""]])
def test_an_empty_word_is_no_path(capfd, words):
    assert main(["look", *words, "--json"]) == 2
    assert "the name is empty" in json.loads(capfd.readouterr().out)["what"]


def test_an_answer_that_stdout_does_not_take_is_told():
    with open("/dev/full", "wb") as full:
        done = start("echo", "hello", "--json", stdout=full)
        said = done.communicate(timeout=300)[1].decode()
    assert done.returncode == 4
    assert "medview: the answer could not be printed (No space left on device)." in said
    assert "Traceback" not in said


def start(*words, stdout=subprocess.PIPE):
    """Start the program with the commands above in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    line = [sys.executable, "-c", LAUNCH, " ".join(NAMES), *words]
    return subprocess.Popen(line, stdout=stdout, stderr=subprocess.PIPE, env=environment)


def test_json_is_the_schema_and_what_the_command_found(capfd):
    assert main(["echo", "hello", "--json"]) == 0
    out = capfd.readouterr().out
    found = {"schema": "medview.echo/1", "word": "hello", "seed": 0, "device": "auto"}
    assert json.loads(out) == found
    assert out.count("\n") == 1


def test_without_json_the_answer_is_in_plain_words(capfd):
    assert main(["echo", "hello", "--seed", "7"]) == 0
    captured = capfd.readouterr()
    assert captured.out == "word: hello\nseed: 7\ndevice: auto\n"
    assert captured.err == "listening\n"


def test_quiet_takes_the_messages_away_and_leaves_the_answer(capfd):
    assert main(["echo", "hello", "--quiet"]) == 0
    captured = capfd.readouterr()
    assert captured.err == ""
    assert "word: hello" in captured.out


def test_numbers_that_are_none_become_null(capfd):
    assert main(["odd", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["values"] == [1.5, None, None]
    assert (found["n"], found["file"], found["no"]) == (3, "a/ü.dcm", None)


def test_a_command_may_bring_its_own_words(capfd):
    assert main(["odd"]) == 0
    assert capfd.readouterr().out == "3 values\n"


def test_what_libraries_print_does_not_reach_stdout(capfd):
    assert main(["noise", "--json"]) == 0
    captured = capfd.readouterr()
    assert json.loads(captured.out) == {"schema": "medview.noise/1", "ok": True}
    assert all(word in captured.err for word in ("python", "descriptor", "child"))


def test_the_answer_no_is_exit_code_one_and_may_be_of_another_kind(capfd):
    assert main(["verdict", "--json"]) == 1
    assert json.loads(capfd.readouterr().out) == {"schema": "medview.verify/1", "holds": False}
    assert main(["verdict"]) == 1
    assert capfd.readouterr().out == "It does not hold.\n"


def test_a_refusal_names_the_file_the_fault_and_the_way_out(capfd):
    assert main(["refuse"]) == 3
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == "medview: IM1.dcm: is a chest film. Choose a head MR.\n"


def test_a_refusal_in_json_holds_the_fields_of_the_contract(capfd):
    assert main(["refuse", "--json"]) == 3
    captured = capfd.readouterr()
    assert json.loads(captured.out) == {
        "schema": "medview.error/1",
        "code": "MV-MOD-001",
        "file": "IM1.dcm",
        "what": "is a chest film",
        "skipped": 2,
        "still_works": "",
        "do": "Choose a head MR.",
    }
    assert captured.err.startswith("medview: IM1.dcm: is a chest film.")


@pytest.mark.parametrize(
    "words",
    [
        ["echo"],
        ["echo", "a", "b"],
        ["echo", "a", "--nonsense"],
        ["echo", "a", "--device", "tpu"],
        ["echo", "a", "--threads", "0"],
        ["echo", "a", "--seed", "x"],
        ["nothing-of-this-name"],
        [],
    ],
)
def test_wrong_use_is_exit_code_two_in_words_and_in_json(capfd, words):
    assert main(words) == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("medview: ")
    assert "Traceback" not in captured.err
    assert main([*words, "--json"]) == 2
    error = json.loads(capfd.readouterr().out)
    assert (error["schema"], error["code"]) == ("medview.error/1", "MV-USE-001")
    assert error["what"]
    assert "--help" in error["do"]


def test_json_after_a_double_dash_is_a_word_like_any_other(capfd):
    assert main(["echo", "--", "--json"]) == 0
    assert "word: --json" in capfd.readouterr().out


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:1"])
def test_the_devices_of_the_contract_are_taken(capfd, device):
    assert main(["echo", "a", "--json", "--device", device]) == 0
    assert json.loads(capfd.readouterr().out)["device"] == device


def test_the_unforeseen_is_a_sentence_and_exit_code_four(capfd):
    assert main(["break", "--json"]) == 4
    captured = capfd.readouterr()
    assert json.loads(captured.out)["schema"] == "medview.error/1"
    assert captured.err.startswith("medview: unexpected error (ZeroDivisionError: division")
    assert "Traceback" not in captured.err


def test_the_unforeseen_keeps_what_private_forbids(capfd):
    assert main(["break", "--json", "--private"]) == 4
    captured = capfd.readouterr()
    assert "A^B" not in captured.out + captured.err


def test_a_refusal_names_no_case_and_no_file_in_private(capfd):
    what = 'row 3, column "t1": the case "Doe" needs scans/doe.nii.gz beside Doe-list.csv'
    for private in (False, True):
        Voice(json=True, debug=False, private=private).failed(DataError(what, file="Doe-list.csv"))
        said = "".join(capfd.readouterr()).lower()
        assert ("doe" in said) is not private
        assert "row 3, column" in said


def test_debug_shows_where_it_happened(capfd):
    assert main(["break", "--debug"]) == 4
    assert "Traceback" in capfd.readouterr().err


def test_a_full_disk_is_told_with_the_name_of_the_file_alone(capfd):
    assert main(["full"]) == 4
    error = capfd.readouterr().err
    assert error.startswith("medview: result.json: no space left on device.")
    assert "/home" not in error


def test_threads_reach_the_children_and_nobody_else(capfd, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    seen = []

    @command("echo")
    def spy(context):
        seen.append(os.environ.get("OMP_NUM_THREADS"))
        return Answer({})

    monkeypatch.setattr(sys.modules[__name__], "echo", spy)
    assert main(["echo", "--threads", "3"]) == 0
    assert seen == ["3"]
    assert "OMP_NUM_THREADS" not in os.environ


def test_the_help_of_a_command_names_the_common_options(capfd):
    assert main(["echo", "--help"]) == 0
    out = capfd.readouterr().out
    for option in ("--device", "--threads", "--seed", "--quiet", "--json", "--private", "--debug"):
        assert option in out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_says_so_with_exit_code_130(number):
    process = start("wait", "--json")
    assert process.stderr.readline() == b"waiting\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert json.loads(out)["code"] == "MV-JOB-130"
    assert b"Traceback" not in err


def test_who_was_interrupted_is_told_how_to_go_on_where_there_is_a_way(monkeypatch, capfd):
    @command("echo")
    def stopped(context):
        try:
            signal.raise_signal(signal.SIGINT)
        except Stopped as stop:
            stop.do = "Go on with --resume."
            raise

    monkeypatch.setattr(sys.modules[__name__], "echo", stopped)
    assert main(["echo"]) == 130
    said = capfd.readouterr().err.strip()
    assert said == "medview: stopped before the end. Go on with --resume."


def test_a_second_request_to_end_does_not_disturb_the_tidying_up():
    process = start("tidy", "--json")
    assert process.stderr.readline() == b"waiting\n"
    process.send_signal(signal.SIGINT)
    assert process.stderr.readline() == b"tidying\n"
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert json.loads(out)["code"] == "MV-JOB-130"
    assert err.startswith(b"tidy\n")
    assert b"Traceback" not in err


def test_a_reader_who_goes_away_is_no_error():
    process = start("flood", "--json")
    process.stdout.read(10)
    process.stdout.close()
    error = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=300) == 0
    assert error == b""
