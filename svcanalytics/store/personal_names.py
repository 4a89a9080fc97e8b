"""Names of people in free text, where the words around them say that it is a name.

A name has no form of its own, so only names that are announced are found: "my name is …", "Mr …", a signature after
"regards"; 我叫…, 姓名：…, 王女士. Names that merely stand in a sentence are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["PREFILTER", "find_names"]

# The surnames of more than nine in ten people in China; those that are common words as well are left out.
_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱林郭何罗郑梁谢宋唐许邓冯韩曹曾彭萧肖蔡潘田董袁余叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔谭廖范汪陆"
    "金石戴贾韦夏邱侯邹熊孟秦白江阎薛尹段雷黎史龙陶贺顾毛郝龚邵万钱严赖覃洪武莫孔汤向常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章"
    "鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁符阮纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾"
    "尤阳穆农司卓古吉缪项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师仇栾隋商刁沙荣巫寇桑郎甄丛"
    "仲虞敖巩明佘池查麻苑迟邝"
)
_DOUBLE = "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|长孙|宇文|司徒|端木|南宫|夏侯"
_HAN = "\u4e00-\u9fff"
_SURNAME = f"(?:{_DOUBLE}|[{_SURNAMES}])"
_TITLE = "老?(?:先生|女士|小姐|太太)"
_GIVEN = f"[{_HAN}](?:·?[{_HAN}])?"
_STOP = r"(?=$|[\s,，.。;；、:：!！?？()（）\[\]【】\"'“”]|今年|现年|身份证|电话|手机|联系|住|家住|系|男|女|\d)"
_CHINESE = re.compile(
    # 我叫王小明, 姓名：王小明, 联系人 王小明
    rf"(?:(?:我|本人|名)叫(?:做)?\s*|本人姓名\s*|(?:姓名|名字|(?:联系|投诉|举报|反映|申请|来电|来信|投稿)人|署名)[:：是为叫\s]+)"
    rf"(?P<full>{_SURNAME}{_GIVEN}){_STOP}"
    # 我姓王, 免贵姓王
    rf"|(?:我|免贵|本人)姓(?P<family>{_SURNAME}){_STOP}"
    # 王小明先生, 王女士
    rf"|(?<![{_HAN}])(?!任何)(?P<known>{_SURNAME}{_GIVEN})(?=先生|女士)"
    rf"|(?<![任对由关属鉴基方])(?P<titled>{_SURNAME})(?={_TITLE})"
)

_PART = r"[A-Z][A-Za-z'’-]*[a-z]"
_INITIAL = r"(?: [A-Z]\.?)?"
_FULL = rf"{_PART}(?:{_INITIAL} {_PART}){{0,3}}"
# What follows "my name is" without being one.
_NOT_NAMES = (
    "(?!(?:a|an|the|not|no|on|in|at|my|is|are|was|also|still|now|just|very|too|so|with|for|under|and|or|but|from|i|when|as|"
    "different|wrong|incorrect|correct|right|same|changed|misspelled|misspelt|spelled|spelt|missing|listed|shown|written|"
    "printed|registered|long|short|invalid|unique|already|there|here|what|that|this|attached|mentioned|[a-z]+(?:ing|ly))\\b)"
)
_NOT_SIGNED = "(?!(?:Regards|Best|Kind|Warm|Thanks|Thank|Cheers|Yours|Sent|Please|Hello|Dear|The|Customer)\\b)"
_ENGLISH = re.compile(
    rf"\b(?i:my (?:full |first |last |family )?name(?:'s|’s| is|:)|i am called|(?:customer|caller|contact|full) name:) "
    rf"(?P<said>{_FULL}|{_NOT_NAMES}[a-z]{{2,15}} {_NOT_NAMES}[a-z]{{2,15}})"
    rf"|\b(?:Mr|Mrs|Ms|Mx|Miss)\.? (?!(?:Word|Excel|Office|Teams|Outlook|Windows|Access|Project)\b)(?P<titled>{_FULL})"
    rf"|\b(?i:this is|it's|it is) (?P<speaking>{_FULL})(?= (?:speaking|calling|here)\b)"
    rf"|\b(?i:regards|sincerely|faithfully|yours truly|signed),?\s+{_NOT_SIGNED}(?P<signed>{_FULL})(?=\s*$)"
    rf"|\b(?i:thanks|thank you|cheers)[,.!]?\s*\n+\s*{_NOT_SIGNED}(?P<thanked>{_FULL})(?=\s*$)",
    re.MULTILINE,
)

PREFILTER = (
    rf"(?:我|本人|名)叫|(?:我|免贵|本人)姓|姓名|名字|(?:联系|投诉|举报|反映|申请|来电|来信|投稿)人|署名|[{_HAN}]{_TITLE}"
    r"|(?i:name(?:.s| is|:)|i am called) |\bM(?:r|rs|s|x|iss)\b|(?i:this is|it.s|it is) [A-Z]"
    r"|(?i:regards|sincerely|faithfully|truly|signed),?\s+[A-Z]|(?i:thanks|thank you|cheers)[,.!]?\s*\n"
)
"""A text in which this pattern (of RE2) finds nothing holds no name found here."""


def find_names(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each name that the words around it announce.

    Examples
    --------
    >>> text = "Hello, my name is John Smith and my card is lost."
    >>> [text[start:end] for start, end in find_names(text)]
    ['John Smith']
    >>> text = "我叫王小明，昨天李女士答复过我。"
    >>> [text[start:end] for start, end in find_names(text)]
    ['王小明', '李']
    """
    if not text.isascii():
        for hit in _CHINESE.finditer(text):
            yield hit.span(hit.lastgroup or 0)
    for hit in _ENGLISH.finditer(text):
        yield hit.span(hit.lastgroup or 0)
