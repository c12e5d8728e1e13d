from dataclasses import replace
from pathlib import Path

import pytest
from result_phantom import card, exam, head, prediction_on

from medview.domain.errors import WorkerDied
from medview.services.printing import Printing
from medview.services.report_material import Material, Outcome
from medview.services.report_order import Order
from medview.services.session import Session


@pytest.fixture
def printing(jobs):
    return Printing(jobs, Session())


@pytest.fixture(scope="module")
def material():
    volume = head()
    return Material(exam(), volume, (Outcome(prediction_on(volume), card()),))


def draw(printing, material, width=500):
    told = []
    printing.draw(material, Order(), width, told.append, told.append)
    return told


def works(jobs):
    return [job.work.rpartition(":")[2] for job in jobs.asked]


def test_pixels_are_sent_once_and_again_when_they_are_other_ones(printing, jobs, material):
    draw(printing, material)
    jobs.last.finish("made")
    draw(printing, replace(material, reader=replace(material.reader, findings="x")))
    assert works(jobs) == ["hold", "preview", "preview"]
    jobs.last.finish("made")
    draw(printing, replace(material, outcomes=()))
    printing.write(material, Order(), Path("r.pdf"), print)
    assert works(jobs)[3:] == ["hold", "preview", "hold", "build_and_write"]
    assert jobs.last.args[0] == 3


def test_while_one_is_drawn_only_the_newest_waits_and_none_is_stopped(printing, jobs, material):
    first, second, third = (draw(printing, material, width) for width in (500, 600, 700))
    (running,) = jobs.running("preview")
    running.finish("first")
    (running,) = jobs.running("preview")
    assert running.args[-1] == 700
    running.finish("third")
    assert (first, second, third) == (["first"], [], ["third"])
    assert jobs.running("preview") == []


def test_after_an_accident_everything_is_sent_again(printing, jobs, material):
    told = draw(printing, material)
    jobs.last.fail(WorkerDied("it stopped"))
    assert [str(each) for each in told] == ["it stopped."]
    draw(printing, material)
    assert works(jobs) == ["hold", "preview", "hold", "preview"]
