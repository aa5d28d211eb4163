from threading import Thread

from collection_pipeline.core.collecting.stopping import StopSwitch


def test_a_switch_thrown_in_one_thread_is_seen_in_another_and_stays_thrown() -> None:
    switch = StopSwitch()
    assert not switch.is_thrown
    thread = Thread(target=switch.throw)
    thread.start()
    thread.join()
    switch.throw()
    assert switch.is_thrown
