import numpy as np

from svcanalytics.sample.world import DAY, WorkClock, make_world


def test_work_time_runs_only_while_open():
    works = np.array([True, False, True, True])
    clock = WorkClock(works, 100, 200)

    def naive(t, work):
        # Second by second.
        while work:
            if works[t // DAY] and 100 <= t % DAY < 200:
                work -= 1
            t += 1
        return t

    starts, need = np.array([0, 150, 199, DAY + 5]), np.array([10, 60, 101, 50])
    assert clock.after(starts, need).tolist() == [
        naive(t, w) for t, w in zip(starts.tolist(), need.tolist(), strict=True)
    ]


def test_the_days_are_chinas():
    days = make_world(3, 1, "2026-10-31", None).days.set_index("day")
    assert days.loc["2026-10-01", "feast"] and not days.loc["2026-10-01", "works"]
    assert days.loc["2026-10-10", "works"], "a Saturday worked instead of a holiday"
    assert not days.loc["2026-10-11", "works"]
