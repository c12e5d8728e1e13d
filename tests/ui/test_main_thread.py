import threading

from PySide6.QtCore import QThread

from medview.ui.main_thread import MainThread


def test_calls_run_on_the_main_thread_in_order(qtbot):
    main, ran = MainThread(), []

    def work():
        for number in range(20):
            main.post(lambda number=number: ran.append((number, QThread.currentThread())))

    worker = threading.Thread(target=work)
    worker.start()
    worker.join()
    assert ran == []
    qtbot.waitUntil(lambda: len(ran) == 20)
    assert [number for number, _ in ran] == list(range(20))
    assert {thread for _, thread in ran} == {main.thread()}
