"""From chart to SVG text: the same chart gives the same bytes on every machine, with nothing in it from outside."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from svcanalytics import resources
from svcanalytics.charts import theme
from svcanalytics.charts.characters import readable_json

if TYPE_CHECKING:
    import altair

__all__ = ["load_altair", "svg"]

_TAGS = re.compile(r"<[^>]+>")  # numbers between tags are text, and stay as they are
_COORDINATES = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")
_IDS = re.compile(r'(?<=\bid=")[\w-]+(?=")')
_LOCALES = {"zh": "zh-CN", "en": "en-US"}


def load_altair() -> Any:
    """Import altair without the grammar of addresses that jsonschema would build on the way: that costs 0.8 s."""
    sys.modules.setdefault("rfc3987_syntax", None)
    import altair

    if "svcanalytics" not in altair.renderers.names():
        altair.renderers.register("svcanalytics", lambda spec, **_: {"image/svg+xml": _draw(spec, "en")})
        # altair's own default shows a chart through a script from the network.
        if altair.renderers.active == "default":
            altair.renderers.enable("svcanalytics")
    return altair


def svg(chart: altair.TopLevelMixin, language: str = "en") -> str:
    """Draw a chart as SVG text.

    Coordinates are rounded to two decimals, and the ids inside are named after the picture's content, so that pictures
    made in different processes can stand on one page. Text stays text; nothing is fetched.

    Parameters
    ----------
    chart : altair chart
        What a function of this package returned, or an analyst's own chart.
    language : str
        "zh" or "en": how numbers and months are written.

    Returns
    -------
    str
        One ``<svg>`` element.
    """
    return _draw(chart.to_dict(), language)


def _draw(spec: dict[str, Any], language: str) -> str:
    import vl_convert

    _register_widths()
    spec = readable_json(spec)
    spec["config"] = _merge(theme.config(), spec.get("config", {}))
    locale = _LOCALES.get(language, "en-US")
    drawn = vl_convert.vegalite_to_svg(
        spec,
        vl_version=".".join(load_altair().SCHEMA_VERSION.lstrip("v").split(".")[:2]),
        allowed_base_urls=[],
        format_locale=locale,
        time_format_locale=locale,
    )
    content = hashlib.sha256(json.dumps([spec, locale], sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:10]
    return _name_ids(_TAGS.sub(lambda tag: _COORDINATES.sub(_round, tag[0]), drawn), content)


@cache
def _register_widths() -> None:
    import vl_convert

    vl_convert.register_font_directory(str(resources.path("fonts")))


def _merge(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in own.items():
        merged[key] = (
            _merge(merged[key], value) if isinstance(value, dict) and isinstance(merged.get(key), dict) else value
        )
    return merged


def _round(number: re.Match[str]) -> str:
    text = f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _name_ids(text: str, content: str) -> str:
    # The renderer counts its ids up over the life of the process: clip3 in one run is clip9 in another.
    for place, old in enumerate(dict.fromkeys(_IDS.findall(text))):
        new = f"p{content}-{place}"
        text = re.sub(rf'(?<=\bid="){re.escape(old)}(?=")', new, text)
        text = re.sub(rf"(?<=#){re.escape(old)}(?=[)\"'])", new, text)
    return text
