"""Findings from texts: themes that came up or went worse, and what that costs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.finding import Finding
from svcanalytics.causes.text.clustering import cluster
from svcanalytics.causes.text.clusters import Clusters
from svcanalytics.causes.text.growing import theme_growth
from svcanalytics.causes.text.shifting import theme_shift
from svcanalytics.causes.text.translating import link_languages
from svcanalytics.errors import CauseError

if TYPE_CHECKING:
    from svcanalytics.causes.gathering.material import Material

__all__ = ["theme_findings"]

_LEVEL = 0.05
_FEWEST_TEXTS, _TEXTS_PER_THEME, _MOST_THEMES = 200, 100, 60
_WITHIN = "category"
_SHOWN = 20
_LOOKS = 2


def theme_findings(material: Material, seed: int = 0) -> tuple[list[Finding], dict[str, NDArray[np.object_]]]:
    """Find what customers write about more than before, or with worse outcomes, and what it costs.

    Themes are fine ones (about one for 100 texts), so that something new is not hidden in something large; those that
    mean the same in Chinese and in English (`link_languages`) are looked at apart and as one. Half of the error allowed
    goes to themes that grew (`theme_growth`, 5 % false), which has nothing to do with how they ended; the other half to
    all themes. Within each half p-values of `theme_shift` are corrected for all themes, looks and metrics (Bonferroni).
    A theme is compared with other cases of its category: it must say more than the category does.

    Parameters
    ----------
    material : Material
    seed : int

    Returns
    -------
    list of Finding
        Of kind "theme", the most index points first; empty without texts in both periods. details: label_zh, label_en,
        terms_zh, terms_en, quotes (masked), n_before, growth (ratio of shares), growth_low, growth_high, emerging.
    dict of str to numpy.ndarray of str
        By finding_id the ids of all cases of this period in the theme.
    """
    texts = _texts(material)
    now = (texts["period"] == "now").to_numpy()
    if min(now.sum(), (~now).sum()) < _FEWEST_TEXTS:
        return [], {}
    number = min(_MOST_THEMES, max(2, len(texts) // _TEXTS_PER_THEME))
    try:
        clusters = cluster(texts["text"], number, thorough=False, seed=seed)
    except CauseError:
        return [], {}
    found: dict[str, tuple[Finding, NDArray[np.object_]]] = {}
    for table, theme_of in ((clusters.table, clusters.labels), _in_both_languages(clusters)):
        for each, ids in _look(material, texts, clusters.heads, table, theme_of):
            if each.finding_id not in found or each.p_value < found[each.finding_id][0].p_value:
                found[each.finding_id] = each, ids
    order = sorted(found.values(), key=lambda pair: (-np.nan_to_num(pair[0].points), pair[0].measure, pair[0].where))
    return [each for each, _ in order], {each.finding_id: ids for each, ids in order}


def _look(
    material: Material,
    texts: pd.DataFrame,
    heads: NDArray[np.int64],
    table: pd.DataFrame,
    theme_of: NDArray[np.int64],
) -> Iterator[tuple[Finding, NDArray[np.object_]]]:
    now = (texts["period"] == "now").to_numpy()
    ids = texts["case_id"].to_numpy("object")
    label = pd.Series(theme_of, index=texts["case_id"])
    # A text that is passed round comes many times on one day; on many days it is many customers' trouble.
    once = ~pd.DataFrame({"head": heads, "day": texts["at"].dt.normalize()}).duplicated().to_numpy()
    growth = theme_growth(theme_of[once & now], theme_of[once & ~now]).reindex(range(len(table)))
    emerging = growth["emerging"].eq(True).to_numpy()
    asked = _LOOKS * max(len(material.outcomes), 1) * np.where(emerging, 2 * emerging.sum(), 2 * len(emerging))
    for metric, rows in material.outcomes.items():
        shift, row_theme = _shift(rows, label, len(emerging))
        p_value = np.minimum(shift["p_value"].to_numpy() * asked, 1.0)
        for theme in np.flatnonzero(p_value <= _LEVEL):
            there = rows[row_theme == theme]
            one = _one(material, metric, there, shift.iloc[theme], p_value[theme], table, growth, theme)
            yield one, ids[now & (theme_of == theme)]


def _texts(material: Material) -> pd.DataFrame:
    # The first text of each case, and the period it is in.
    texts = material.texts
    key = "case_id" if "case_id" in texts.columns else "id"
    period = texts["period"] if "period" in texts.columns else _period(material, texts["at"])
    out = pd.DataFrame({"case_id": texts[key], "text": texts["text"], "at": texts["at"], "period": period})
    out = out[out["period"].isin(["now", "before"])]
    return out.sort_values(["at", "case_id"], kind="stable").drop_duplicates("case_id", ignore_index=True)


def _in_both_languages(clusters: Clusters) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    # What is written in two languages about one thing is one theme; the larger one lends its id.
    link = link_languages(clusters.table)
    table = clusters.table.copy()
    for name, most in (("terms_zh", 8), ("terms_en", 8), ("quotes", 3)):
        said = [zip_longest(*table.loc[link == theme, name]) for theme in range(len(table))]
        table[name] = [
            tuple(dict.fromkeys(t for turn in turns for t in turn if t is not None))[:most] for turns in said
        ]
    return table, np.where(clusters.labels >= 0, link[clusters.labels], -1)


def _period(material: Material, at: pd.Series) -> NDArray[np.str_]:
    begin = pd.Timestamp(material.period.start)
    return np.where(at >= begin, "now", "before")


def _shift(rows: pd.DataFrame, label: pd.Series, n_themes: int) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    case = rows["case_id" if "case_id" in rows.columns else "id"]
    theme = label.reindex(case).to_numpy("float64")
    written = np.isfinite(theme)
    rows, theme_there = rows[written], theme[written].astype("int64")
    within = rows[_WITHIN] if _WITHIN in rows.columns else None
    shift = theme_shift(theme_there, rows["bad"], rows["period"] == "now", n_themes, within=within)
    return shift, np.where(written, theme, -1).astype("int64")


def _one(
    material: Material,
    metric: str,
    rows: pd.DataFrame,
    shift: pd.Series,
    p_value: float,
    table: pd.DataFrame,
    growth: pd.DataFrame,
    theme: int,
) -> Finding:
    from svcanalytics.causes.gathering.pricing import points_of

    said, grown = table.iloc[theme], growth.iloc[theme]
    points, low, high = (float(p) for p in points_of(material, metric, [shift["excess"], shift["low"], shift["high"]]))
    worst = rows[(rows["period"] == "now") & (rows["bad"] > 0)].sort_values(["bad", "at"], ascending=[False, True])
    case = worst["case_id" if "case_id" in worst.columns else "id"]
    trend = "new" if grown["n_before"] == 0 else "larger" if grown["emerging"] else "steady"
    return Finding(
        "theme", metric, f"theme={said['theme']}", int(shift["n"]), float(shift["excess"]), points, low, high,
        float(p_value), "", _since(rows["at"], material.outcomes[metric]["at"]) if grown["emerging"] else pd.NaT, trend,
        tuple(dict.fromkeys(case.astype(str)))[:_SHOWN],
        {
            "label_zh": " ".join(said["terms_zh"][:3]) or said["label"],
            "label_en": " ".join(said["terms_en"][:3]) or said["label"],
            "terms_zh": list(said["terms_zh"]), "terms_en": list(said["terms_en"]), "quotes": list(said["quotes"]),
            "n_before": int(shift["n_before"]), "growth": float(grown["ratio"]), "growth_low": float(grown["low"]),
            "growth_high": float(grown["high"]), "emerging": bool(grown["emerging"]),
        },
    )  # fmt: skip


def _since(at: pd.Series, every: pd.Series) -> pd.Timestamp:
    # The day from which the theme's cases come more often: the largest likelihood of one change (Poisson).
    days = pd.date_range(every.min().normalize(), every.max().normalize())
    count = at.dt.normalize().value_counts().reindex(days, fill_value=0).to_numpy(float)
    before, left = count.cumsum()[:-1], np.arange(1, len(days))
    after, right = count.sum() - before, len(days) - left
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.nan_to_num(before * np.log(before / left)) + np.nan_to_num(after * np.log(after / right))
    gain = np.where(after / right > before / left, gain, -np.inf)
    return days[1:][int(np.argmax(gain))]
