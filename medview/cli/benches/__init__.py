"""Benchmarks: what medview takes, beside a peer measured in the same run.

How a benchmark is added
------------------------
1. Write ``measure(context: Context, quick: bool) -> list[Row]`` in ``benches/<name>.py``;
   `quick` asks for the same rows from less data. Run what is measured as the program runs it, with
   ``context.call``; make the data on the spot in ``tempfile.TemporaryDirectory``; repeat with
   ``best_of`` where a single figure would be a matter of luck.
2. Add its line to ``BENCHES``.

Rows say what they are held against: ``Row(..., peer="plain loop", peer_value=31.0, aim=0.67)`` is
met when value / peer_value is at most 0.67; without a peer the aim is for the value itself;
``at_least=True`` turns it round. Rows without an aim are for the record.
"""

# Name -> "module:function".
BENCHES: dict[str, str] = {
    "load": "medview.cli.benches.load:measure",
    "scroll": "medview.cli.benches.scroll:measure",
    "train": "medview.cli.benches.train:measure",
    "infer": "medview.cli.benches.infer:measure",
    "fuzz": "medview.cli.benches.fuzz:measure",
    "spirals": "medview.cli.benches.spirals:measure",
    "probes": "medview.cli.benches.spirals:measure_probes",
    "kill": "medview.cli.benches.kill:measure",
    "batch": "medview.cli.benches.batch:measure",
    "report": "medview.cli.benches.report:measure",
    "schedules": "medview.cli.benches.schedules:measure",
    "monkey": "medview.cli.benches.monkey:measure",
}
