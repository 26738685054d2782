"""A candidate comes in, starts, answers and ends, through HTTP."""
from tests.certification.seats import Room


def test_a_whole_test(room: Room) -> None:
    device = room.enter()
    assert device.see()["to_do"] == "wait"
    room.acted("authorise", device=device.name)
    assert device.see()["to_do"] == "start"
    view = device.do("start")
    print(view)
    pending = view["pending"]
    n = 0
    import time
    t = time.time()
    while pending is not None:
        room.clock.move(seconds=40)
        pending = device.answer(pending)["pending"]
        n += 1
    print(n, time.time() - t)
    print(device.see())
    print(room.look())
    print([e.kind for e in room.events()], [f.kind for f in room.facts()][-2:])
    assert 0
