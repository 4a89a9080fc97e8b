"""Names of the people who work here, taken out of what customers write: a finding points at no person."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from svcanalytics.causes.language.matching import compile_words

__all__ = ["HIDDEN", "hide_names"]

HIDDEN = "[agent]"
"""What stands in place of a name."""

# The hundred most common surnames of China (Ministry of Public Security 2007): a queue or a robot bears none of them.
_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜"
    "范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
_CHINESE = re.compile(f"[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}")
# Two words, a capitalised one, or letters with digits: a plain small word would be missed in all that is written.
_LATIN = re.compile(r"[A-Z][\w'-]{2,}|\w[\w'.-]*(?: [\w'.-]+)+|(?=.*\d)(?=.*[A-Za-z])[\w-]{3,}")


def hide_names(texts: pd.Series, names: Iterable[object]) -> pd.Series:
    """Return texts with names replaced by ``[agent]``.

    Parameters
    ----------
    texts : Series
        What was written; what is no text stays.
    names : iterable
        Names and staff numbers of agents. What may as well be a common word (``system``) is left alone.
    """
    given = {name.strip() for name in names if isinstance(name, str)}
    chinese = {name for name in given if _CHINESE.fullmatch(name)}
    latin = {name for name in given if name.isascii() and _LATIN.fullmatch(name)}
    patterns = [compile_words(sorted(part), bounded=part is latin) for part in (chinese, latin) if part]
    if not patterns:
        return texts

    def hide(text: object) -> object:
        if isinstance(text, str):
            for pattern in patterns:
                text = pattern.sub(HIDDEN, text)
        return text

    return texts.map(hide)
