"""Themes: what texts are about, found in the texts alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.text.clusters import Clusters
from svcanalytics.causes.text.corpus import Corpus, read_corpus
from svcanalytics.causes.text.describing import describe, theme_id
from svcanalytics.causes.text.languages import part_by_language, speaks_chinese, widest_first
from svcanalytics.causes.text.normalising import normalise
from svcanalytics.causes.text.partitioning import centres_of, partition, quick_partition, single_thread
from svcanalytics.causes.text.recognising import recognise
from svcanalytics.causes.text.space import Embedding, Space, fit_space
from svcanalytics.causes.text.stability import TRIED_COLUMNS, choose_number
from svcanalytics.causes.text.translating import link_languages
from svcanalytics.errors import CauseError

__all__ = ["cluster"]

_MOST_FITTED, _FEW_FITTED = 6000, 2500
_FITTED_PER_THEME = 60
_COPIES = 5  # of a form letter: enough to be seen as a theme, too few to be all that is seen


def cluster(
    texts: Iterable[object],
    n_clusters: int | None = None,
    language: Literal["auto", "zh", "en"] = "auto",
    *,
    embed: Embedding | None = None,
    labels: pd.Series | pd.DataFrame | Mapping[str, str] | None = None,
    earlier: Clusters | None = None,
    thorough: bool = True,
    seed: int = 0,
) -> Clusters:
    """Sort texts into themes: Chinese, English or mixed, without a dictionary or a model to download.

    Texts are compared by pieces of words (`count_grams`, `fit_space`), near-duplicates count once
    (`group_duplicates`), and themes are what many simple partitions agree on (`partition`). The result doesn't depend
    on the order of the texts. Of more than 6,000 different texts, themes are found in 6,000 chosen by their hash, and
    the others go to the nearest theme. Where both languages are written and no number is given, themes are looked for
    in each, and those that mean the same become one (`link_languages`).

    Parameters
    ----------
    texts : iterable
        The texts; what is no text, or has no words, belongs to no theme.
    n_clusters : int, optional
        How many themes; default: chosen by stability (`choose_number`). Of fewer different texts there are fewer, and
        `Clusters.remarks` says so.
    language : {"auto", "zh", "en"}
        What themes are called in; "auto": each theme in the language most of its texts are written in.
    embed : callable, optional
        An own embedding, texts -> array (texts x dimensions), instead of pieces of words.
    labels : pandas.Series, pandas.DataFrame or mapping, optional
        Themes by hand, which override: text -> name (a Series with texts as index, a frame with the columns text and
        label, or a mapping). A name that is a theme's id moves the text there, any other makes a theme of that name.
    earlier : Clusters, optional
        Themes of an earlier time: one that is found again (`recognise`) keeps its id and label.
    thorough : bool
        False asks one partition of 2,500 texts instead of many of 6,000: ten times as fast, themes are less clean.
    seed : int
        Of all that is random.

    Returns
    -------
    Clusters

    Raises
    ------
    CauseError
        When no text has words, or an argument is not what it should be.
    """
    if language not in ("auto", "zh", "en"):
        raise CauseError(f"the language {language!r} is not known", where="language", fix="use auto, zh or en")
    corpus = read_corpus(texts)
    kinds = corpus.kinds
    wanted = None if n_clusters is None else min(_whole(n_clusters), len(kinds))
    most = max(_MOST_FITTED, _FITTED_PER_THEME * (wanted or 0)) if thorough else _FEW_FITTED
    fitted = corpus.typical(_COPIES)[:most]
    number = wanted
    theme = np.full(len(corpus.distinct), -1)
    with single_thread():
        space = Space.by(embed) if embed else fit_space(corpus.pick(fitted)[0], seed)
        vectors = space.place(*corpus.pick(fitted))
        parts = part_by_language(corpus.pick(fitted)[0]) if number is None and not embed else [np.arange(len(fitted))]
        theme[fitted], number, tried = _find(vectors, parts, number, partition if thorough else quick_partition, seed)
    others = np.setdiff1d(kinds, fitted)
    # A text that shares nothing with those looked at has to be somewhere: with the first.
    theme[others] = np.maximum(space.nearest(*corpus.pick(others), centres_of(vectors, theme[fitted], number)), 0)
    theme = theme[corpus.head]
    if len(parts) > 1:
        said = describe(*corpus.pick(fitted), vectors, theme[fitted], number, language)
        theme = np.unique(link_languages(said, sure=True)[theme], return_inverse=True)[1]
        number = int(theme.max()) + 1
    names: dict[int, tuple[str, str]] = {}
    if labels is not None:
        given = _read_labels(labels)
        fitted = np.union1d(fitted, np.flatnonzero(pd.Index(corpus.distinct).isin(list(given))))
        vectors = space.place(*corpus.pick(fitted))
        known = describe(*corpus.pick(fitted), vectors, theme[fitted], number, language)
        theme, names = _overrule(theme, corpus.distinct, given, _named_as_before(known, earlier))
    theme, names = _largest_first(theme, corpus.counts, names)
    # A theme can be left without a text that was fitted: then the first of its others stands for it.
    fitted = np.union1d(fitted, np.unique(theme, return_index=True)[1])
    vectors = space.place(*corpus.pick(fitted)) if len(fitted) > len(vectors) else vectors
    table = _tabulate(corpus, theme, fitted, vectors, names, language, earlier)
    remarks = _remarks(corpus, table, n_clusters, number)
    # What is one theme in two languages lies in two places.
    voice = speaks_chinese(corpus.pick(fitted)[0]) if len(parts) > 1 else np.zeros(len(fitted), dtype=bool)
    of, at = np.unique(2 * theme[fitted] + voice, return_inverse=True)
    centres = centres_of(vectors, at, len(of))
    label = np.append(theme, -1)[corpus.place]
    return Clusters(label, table, corpus.heads, tried, remarks, space, centres, of // 2, (corpus.hashes, theme))


def _find(
    vectors: NDArray[np.float32],
    parts: list[NDArray[np.int64]],
    number: int | None,
    divide: Callable[[NDArray[np.float32], int, int], NDArray[np.int64]],
    seed: int,
) -> tuple[NDArray[np.int64], int, pd.DataFrame]:
    # The theme of each text, how many there are, and what was tried, language by language.
    if number is not None:
        return divide(vectors, number, seed), number, pd.DataFrame(columns=TRIED_COLUMNS)
    theme, found, tables = np.zeros(len(vectors), np.int64), 0, []
    for at in parts:
        seen = widest_first(vectors[at]) if len(parts) > 1 else vectors
        mine, table = choose_number(seen, seed)
        theme[at] = found + divide(seen, mine, seed)
        found += mine
        tables.append(table)
    return (
        theme,
        found,
        tables[0] if len(parts) == 1 else pd.concat(tables, keys=("zh", "en"), names=("language", None)),
    )


def _whole(number: object) -> int:
    whole = isinstance(number, int | float | np.integer | np.floating) and not isinstance(number, bool)
    if not whole or not number >= 1 or number != np.floor(number) or np.isinf(number):
        raise CauseError(f"{number!r} clusters can't be made", where="n_clusters", fix="use a whole number from 1 up")
    return int(number)


def _named_as_before(table: pd.DataFrame, earlier: Clusters | None) -> pd.DataFrame:
    # No two themes have one id, not even two without words.
    known = {} if earlier is None else recognise(table, earlier.table)
    label = {} if earlier is None else dict(zip(earlier.table["theme"], earlier.table["label"], strict=True))
    taken, names = set(known.values()), []
    for own, called in zip(table["theme"], table["label"], strict=True):
        if own in known:
            names.append((known[own], label[known[own]]))
            continue
        while own in taken:
            own = theme_id(own)
        taken.add(own)
        names.append((own, called))
    table[["theme", "label"]] = names
    return table


def _read_labels(labels: pd.Series | pd.DataFrame | Mapping[str, str]) -> dict[str, str]:
    if not isinstance(labels, pd.DataFrame | pd.Series | Mapping):
        raise CauseError("they don't say which text has which", where="labels", fix="give text -> name, see labels")
    if isinstance(labels, pd.DataFrame):
        if not {"text", "label"} <= set(labels.columns):
            raise CauseError("the frame has no columns text and label", where="labels", fix="name them so")
        labels = pd.Series(labels["label"].to_numpy(), index=labels["text"].to_numpy())
    given = {normalise(text): str(name) for text, name in labels.items() if not pd.isna(name)}
    given.pop("", None)
    return given


def _overrule(
    theme: NDArray[np.int64], distinct: list[str], given: Mapping[str, str], known: pd.DataFrame
) -> tuple[NDArray[np.int64], dict[int, tuple[str, str]]]:
    # Themes found keep the id they had before texts were moved by hand.
    named = [*zip(known["theme"], known["label"], strict=True)]
    named += [(theme_id(name), name) for name in sorted(set(given.values()) - set(known["theme"]))]
    number = {name: at for at, (name, _) in enumerate(named[: len(known)])}
    number |= {name: at for at, (_, name) in enumerate(named[len(known) :], len(known))}
    out = np.array([number[given[text]] if text in given else old for text, old in zip(distinct, theme, strict=True)])
    return out, dict(enumerate(named))


def _largest_first(
    theme: NDArray[np.int64], counts: NDArray[np.int64], names: Mapping[int, tuple[str, str]]
) -> tuple[NDArray[np.int64], dict[int, tuple[str, str]]]:
    # Of themes of one size the one first goes that has the first text; themes without texts go.
    there, first, place = np.unique(theme, return_index=True, return_inverse=True)
    rank = np.argsort(np.lexsort((first, -np.bincount(place, counts))))
    return rank[place], {int(rank[at]): names[old] for at, old in enumerate(there.tolist()) if old in names}


def _tabulate(
    corpus: Corpus,
    theme: NDArray[np.int64],
    fitted: NDArray[np.int64],
    vectors: NDArray[np.float32],
    names: Mapping[int, tuple[str, str]],
    language: str,
    earlier: Clusters | None,
) -> pd.DataFrame:
    n = int(theme.max()) + 1
    table = describe(*corpus.pick(fitted), vectors, theme[fitted], n, language)
    table = table if names else _named_as_before(table, earlier)
    for at, name in names.items():
        table.loc[at, ["theme", "label"]] = name
    size = np.bincount(theme, corpus.counts, n).astype("int64")
    table.insert(2, "size", size)
    table.insert(3, "distinct", np.bincount(theme[corpus.kinds], minlength=n))
    table.insert(4, "share", size / size.sum())
    return table


def _remarks(corpus: Corpus, table: pd.DataFrame, wanted: int | None, number: int) -> tuple[str, ...]:
    out = []
    if wordless := int((corpus.place < 0).sum()):
        out.append(f"{wordless} of {len(corpus.place)} texts have no words and belong to no theme")
    if len(corpus.kinds) == 1:
        out.append("all texts are the same but for numbers and near-duplicates, so there is one theme")
    elif wanted is None and number == 1:
        out.append("no themes were found that come out again in samples of the texts, so all are in one")
    if wanted is not None and len(table) < wanted:
        out.append(f"{wanted} themes were asked for, but the texts differ in {len(table)} ways only")
    return tuple(out)
