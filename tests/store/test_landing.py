import os
import time
import zipfile
from dataclasses import replace

import pandas as pd
import pytest

from svcanalytics import store
from svcanalytics.errors import LakeError, LoadError


def export(folder, name, case):
    file = folder / name
    rows = {"case_id": [case, None], "opened_at": ["2026-03-02 10:00", "2026-03-02 11:00"], "channel": ["phone", "app"]}
    pd.DataFrame(rows).to_csv(file, index=False)
    return file


def aged(lake, load_id, days):
    folder = lake.sql(f"select landing from loads where load_id = '{load_id}'")["landing"].item()
    then = time.time() - days * 86_400
    os.utime(lake.landing / folder, (then, then))
    return lake.landing / folder


@pytest.mark.parametrize(("days", "kept"), [(0, True), (40, True), (30, False)])
def test_an_original_is_kept_for_as_many_days_as_the_setting_says(lake, tmp_path, days, kept):
    first = store.load(lake, export(tmp_path, "first.csv", "a"), "contract:cases")
    original = aged(lake, first.load_id, 35)
    lake.settings = replace(lake.settings, landing_days=days)
    second = store.load(lake, export(tmp_path, "second.csv", "b"), "contract:cases")
    assert original.exists() == kept
    assert aged(lake, second.load_id, 0).exists()
    assert sorted(lake.sql("select case_id from cases")["case_id"]) == ["a", "b"]
    if not kept:
        with pytest.raises(LakeError, match="the original is gone"):
            store.release(lake, first.load_id)


def test_a_folder_without_files_and_a_file_in_a_lake_s_place_are_called_that(lake, tmp_path):
    (tmp_path / "exports" / "deeper").mkdir(parents=True)
    with pytest.raises(LoadError, match="holds no files"):
        store.load(lake, tmp_path / "exports")
    zipfile.ZipFile(tmp_path / "export.zip", "w").close()
    with pytest.raises(LoadError, match="holds no files"):
        store.load(lake, tmp_path / "export.zip")
    (tmp_path / "lake.csv").write_text("case_id\n")
    with pytest.raises(LakeError, match="something else stands here"):
        store.open(tmp_path / "lake.csv")
