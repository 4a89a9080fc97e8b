"""The benchmarks as a stranger meets them: each is listed with its purpose, and a wrong name is answered."""

from __future__ import annotations

import pytest

from benchmarks.__main__ import NEEDS, USUAL, main, programs


def test_every_program_is_listed_with_its_purpose(capsys):
    tables, own = programs()
    assert main(["--list"]) == 0
    listed = capsys.readouterr().out
    assert len(tables) > 20 and {"real_data", "forecast"} <= set(own)
    for name, purpose in (tables | own).items():
        assert purpose and f"  {name} " in listed and purpose in listed
    assert set(USUAL) | set(NEEDS) <= set(tables | own)


def test_a_program_that_does_not_exist_is_answered_before_any_runs(capsys):
    assert main(["load", "nosuch"]) == 2
    assert "'nosuch'" in capsys.readouterr().err


def test_a_program_says_what_it_lacks(capsys, monkeypatch):
    monkeypatch.delenv("SVC_REAL_DATA", raising=False)
    assert main(["segments"]) == 2 == main(["real_data", "out"])
    assert "needs $SVC_REAL_DATA" in capsys.readouterr().err


@pytest.mark.parametrize(("measured", "code"), [(1.0, 0), (1.1, 1)])
def test_a_bound_that_is_not_held_fails_the_run(capsys, monkeypatch, measured, code):
    from benchmarks import units
    from benchmarks.timing import Result

    monkeypatch.setattr(units, "run", lambda: [Result("what", measured, 1.0, "s")])
    assert main(["units"]) == code
    assert ("OVER" in capsys.readouterr().out) == bool(code)
