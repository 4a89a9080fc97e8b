from __future__ import annotations

import json
import re
import time

from svcanalytics.report.output.gate import faults
from svcanalytics.report.publication import index
from svcanalytics.report.publication.edition import editions
from svcanalytics.report.publication.restatement import find_restatements
from svcanalytics.report.publication.soundness import find_damage


def damages(out, **given) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for damage in find_damage(out, **given):
        found.setdefault(damage.edition, []).append(damage.what)
    return found


def test_a_sound_library_has_nothing_to_report(tmp_path, lay_edition):
    lay_edition(tmp_path, "monthly/2026-10/all-zh/1")
    (tmp_path / ".staging" / "a" / "b" / "c" / "1").mkdir(parents=True)
    assert find_damage(tmp_path, thorough=True) == []
    assert find_damage(tmp_path / "nowhere") == []


def test_every_damaged_edition_is_named_with_what_is_wrong_and_the_lake_is_still_compared(lake, tmp_path, lay_edition):
    names = [f"monthly/2026-{month:02}/all-zh/1" for month in range(1, 8)]
    for name in names:
        lay_edition(tmp_path, name)
    (tmp_path / names[0] / "manifest.json").write_text("{")
    (tmp_path / names[1] / "manifest.json").unlink()
    (tmp_path / names[2] / "report.xlsx").write_text("cut")
    (tmp_path / names[3] / "report.html").unlink()
    (tmp_path / names[4] / "report.html").write_text(names[4][::-1])  # as long as before
    manifest = json.loads((tmp_path / names[5] / "manifest.json").read_text())
    (tmp_path / names[5] / "manifest.json").write_text(json.dumps({**manifest, "period": "2026-10"}))
    quick = damages(tmp_path)
    assert list(quick) == [*names[:4], names[5]]
    assert "manifest" in quick[names[0]][0]
    assert quick[names[2]] == ["report.xlsx has another size than when it was published"]
    assert quick[names[3]] == ["report.html can't be read (No such file or directory)"]
    assert "another edition" in quick[names[5]][0]
    assert damages(tmp_path, thorough=True)[names[4]] == ["report.html was changed after it was published"]
    assert find_restatements(lake, tmp_path) == []


def test_a_memory_that_was_cut_short_is_made_again(lake, tmp_path, lay_edition):
    lay_edition(tmp_path, "monthly/2026-10/all-zh/1")
    find_restatements(lake, tmp_path)
    (memory,) = (tmp_path / ".restated").iterdir()
    memory.write_text("{")
    (memory.parent / ".0001.json.77.tmp").touch()
    assert find_restatements(lake, tmp_path) == []
    assert [file.name for file in memory.parent.iterdir()] == [memory.name]
    assert json.loads(memory.read_text()) == {"monthly/2026-10/all-zh/1": []}


def test_two_hundred_editions_are_listed_in_a_light_page_at_once(tmp_path, lay_edition):
    for year in range(2018, 2026):
        for month in range(1, 13):
            for number in range(1, 3 + month % 2):
                lay_edition(tmp_path, f"monthly/{year}-{month:02}/all-zh/{number}")
    count = len(editions(tmp_path))
    assert count >= 200
    begun = time.process_time()
    page = index.rebuild(tmp_path, "zh").read_text("utf-8")
    assert time.process_time() - begun < 1.5
    assert faults(page) == []
    assert len(set(re.findall(r'"([^"]+/report[.]html)"', page))) == count
    assert len(page.encode()) < 400_000
    begun = time.process_time()
    assert find_damage(tmp_path) == []
    assert time.process_time() - begun < 0.5
