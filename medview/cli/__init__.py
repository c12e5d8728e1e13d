"""The command line: everything the window does, without Qt and without a display.

How a command is added
----------------------
1. Write a function in the module of its group (``looking``, ``running``, ``training``, ...)::

       from medview.cli.contract import Answer, Context, command

       @command("info", words=describe)          # the kind: "schema" becomes "medview.info/1"
       @click.argument("path", type=click.Path(path_type=Path, readable=False))
       def info(context: Context, path: Path) -> Answer:
           \"\"\"Say what a file, folder, ZIP or DICOMDIR holds.\"\"\"
           catalogue = context.call("files", "medview.io.readers:scan", (path,))
           return Answer(body_of(catalogue, private=context.options.private))

2. Add its line to ``COMMANDS`` below. Modules are imported only when their command is used, and
   for ``--help``: keep torch, scipy, pydicom and the like inside the functions.

What the frame does for it
--------------------------
- The common options (``--device --threads --seed --quiet --json --private --debug``) are added
  and arrive as ``context.options``; the function gets its own parameters only.
- ``context.call(lane, "module:function", *args)`` runs work in a child process, with progress on
  stderr, and raises its ``MedviewError``; children are ended when the command is over.
- ``context.report(done, total, text)`` shows progress of work done in this process,
  ``context.say(text)`` a message; both go to stderr and are silent with ``--quiet``.
- The answer's ``body`` is printed once at the end: one JSON object with ``--json`` (NaN becomes
  null; numpy, paths, enums and dataclasses are understood), else ``words(body)``, or a plain
  outline of the body where no ``words`` is given. ``Answer(body, exit_code=1)`` says "ran, and
  the answer is no"; ``Answer(body, kind="verify")`` is for an answer of another kind.
- Raise the family of ``medview.domain.errors``: the class decides on the exit code. What prints
  to stdout meanwhile (a library, a child) is sent to stderr.
- ``medview.io.atomic`` has ``whole_file(out)`` and ``whole_folder(out)``: what is written inside
  appears at ``--out`` only when the block ends well. Open it in the command, not in the child:
  a child that is killed cannot tidy up.
- Input with ``readable=False`` is tried, not asked beforehand: what may not be read is refused by
  its reader (3) with what to do, else as wrong use (2).
- ``medview.cli.arguments`` has ``Numbers("L", "P", "H")`` for --at L,P,H and the like.
"""

from __future__ import annotations

import sys
from importlib import import_module

import click

from medview import __version__
from medview.cli.contract import Reply
from medview.cli.output import Voice
from medview.stopping import Stopped, heeded, interruptible, way_on

# Name -> "module:function", in the order of the help page.
COMMANDS: dict[str, str] = {
    "info": "medview.cli.looking:info",
    "convert": "medview.cli.looking:convert",
    "render": "medview.cli.render:render",
    "models": "medview.cli.running:models",
    "versions": "medview.cli.versions:versions",
    "runs": "medview.cli.runs:runs",
    "run": "medview.cli.running:run",
    "batch": "medview.cli.batch:batch",
    "report": "medview.cli.report:report",
    "export": "medview.cli.export:export",
    "deidentify": "medview.cli.deidentify:deidentify",
    "audit": "medview.cli.audit:audit",
    "cases": "medview.cli.cases:cases",
    "train": "medview.cli.training:train",
    "finetune": "medview.cli.finetune:finetune",
    "evaluate": "medview.cli.evaluate:evaluate",
    "ablate": "medview.cli.ablate:ablate",
    "compare": "medview.cli.compare:compare",
    "bench": "medview.cli.bench:bench",
    "demo": "medview.cli.demo:demo",
}


class _Table(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, function = COMMANDS[cmd_name].partition(":")
        found = getattr(import_module(module), function)
        return found if isinstance(found, click.Command) else None


@click.group(
    cls=_Table, no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="medview", message="%(prog)s %(version)s")
def medview() -> None:
    """View, analyse and report radiology images. Research use only, not for diagnostic use.

    "medview [PATH...]" without a command opens the window.
    """


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code (0, 1, 2, 3, 4 or 130).

    `argv` is what follows the program's name; None takes it from the command that was typed.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    voice = Voice.for_words(words)
    try:
        with interruptible(), heeded():
            reply = medview.main(args=words, prog_name="medview", standalone_mode=False)
    except (click.exceptions.Abort, Stopped) as stop:
        return voice.stopped(way_on(stop))
    except click.ClickException as error:
        return voice.misused(error)
    # The one place where the command line meets what nobody foresaw; see services/jobs.py for
    # the other one. Without it a user would read a traceback.
    except Exception as error:
        return voice.failed(error)
    return voice.answer(reply) if isinstance(reply, Reply) else int(reply or 0)
