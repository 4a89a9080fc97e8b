"""Two quarters lived through: what goes wrong by itself, and what each planted cause adds, case by case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy.special import expit, ndtr

from benchmarks.causes_cases import BEFORE, DAYS, DIMENSIONS, START, draw_cases
from benchmarks.causes_staff import Staff, make_staff
from benchmarks.causes_steps import ANSWER, LIMITS, Steps, draw_steps, log

__all__ = ["METRICS", "Metric", "Quarters", "make_quarters"]

Array = np.ndarray

_LUCK = 0.1
"""Standard deviation, in log odds, of a day's luck and of that of a team in a week."""
_OF_WAITS = 2.0
"""How much the log odds of being late rise with the logarithm of a wait."""
_CASES_LUCK = 0.15
"""Correlation of the luck of two outcomes of one case."""
_POINTS = (0.33, 1.45)
"""What a cause is worth, in index points."""


@dataclass(frozen=True)
class Metric:
    """How often it goes wrong (log odds of the average case), and what one unit of its mean costs the index."""

    base: float
    points: float
    share_good: bool = True


METRICS = {
    "responded_15min": Metric(0.0, 38.0),
    "resolved_by_due": Metric(0.0, 45.0),
    "csat": Metric(-1.7, 34.0),
    "first_contact_resolution": Metric(-1.9, 38.0),
    "reopen_rate": Metric(-2.5, 48.0, share_good=False),
    "repeat_case_7d": Metric(-2.3, 45.0, share_good=False),
    "attitude_score": Metric(-2.3, 34.0),
    "handle_time": Metric(0.0, 0.06, share_good=False),
}
_DRAWN = ("csat", "first_contact_resolution", "reopen_rate", "repeat_case_7d", "attitude_score")
_SURVEYED = ("csat", "attitude_score")
_STANDING = ("team", "channel", "category", "product", "customer_type", "region", "device", "route", "shift", "tenure")


@dataclass(eq=False)
class Quarters:
    """What was lived through; see the attributes of the same names of `Material` and `World`."""

    start: pd.Timestamp
    staff: Staff
    cases: pd.DataFrame
    outcomes: dict[str, pd.DataFrame]
    worth: pd.DataFrame
    events: pd.DataFrame
    definitions: pd.DataFrame
    sizes: dict[str, dict[str, object]]
    ids: dict[str, frozenset[str]]
    case_ids: dict[str, frozenset[str]]


@dataclass(frozen=True, eq=False)
class _Effect:
    """What one cause did: to which cases, how much, and the standard error of seeing it."""

    metric: str
    touched: Array
    excess: float
    error: float


@dataclass(eq=False)
class _Scene:
    """The cases, their steps and luck, and what has been planted so far."""

    cases: pd.DataFrame
    steps: Steps
    since: dict[str, int]  # of what is planted
    aim: dict[str, float]  # standard errors that a cause is to be worth
    lot: Array  # uniform, one row per use
    shared: Array  # the case's own luck
    rated: Array  # answered the survey
    effects: dict[str, _Effect] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.day = self.cases["day"].to_numpy()
        self.now = self.day >= BEFORE
        self.limit = np.array([LIMITS[each] for each in self.column("category")])
        self._team_week = pd.factorize(self.column("team"))[0] * 40 + self.day // 7

    def column(self, name: str) -> Array:
        return self.cases[name].to_numpy("object")

    def after(self, cause: str) -> Array:
        """Return which cases come after the cause began; none when it is not planted."""
        return self.day >= self.since.get(cause, DAYS)

    def error(self, variance: Array, slope: Array, where: Array, after: Array) -> float:
        """Return the standard error of the excess of the cases `after`, held against those of `where` before.

        `variance` is that of a case's outcome, `slope` how it moves with one log odds of a day's or week's luck.
        """

        def total(mask: Array) -> float:
            moved = np.where(mask, slope, 0.0)
            lucky = (np.bincount(self.day, moved) ** 2).sum() + (np.bincount(self._team_week, moved) ** 2).sum()
            return float(np.where(mask, variance, 0.0).sum() + _LUCK**2 * lucky)

        before = where & ~self.now
        if before.sum() < 30:  # nothing like it was there before: held against the rest of the quarter
            before = self.now & ~where
        return float(np.sqrt(total(after) + (after.sum() / before.sum()) ** 2 * total(before)))

    def target(self, cause: str, metric: str, error: float) -> float:
        """Return the excess to be planted: so many standard errors, but neither a trifle nor a landslide."""
        rows = (self.now & self.rated).sum() if metric in _SURVEYED else self.now.sum()
        unit = METRICS[metric].points / rows
        return float(np.clip(self.aim[cause] * error, _POINTS[0] / unit, _POINTS[1] / unit))


def make_quarters(seed: int, planted: Sequence[str], cases: int) -> Quarters:
    """Live through both quarters with the named causes in the second."""
    lots = np.random.default_rng([seed, 1])
    # Causes begin in the first five weeks of the quarter.
    since = {name: BEFORE + int(lots.integers(0, 35)) for name in (*_IN_STEPS, *_IN_RATES, *_IN_ANSWERS)}
    aim = {name: float(lots.uniform(5.2, 7.2)) for name in since}
    since = {name: since[name] for name in planted}
    staff = make_staff(np.random.default_rng([seed, 2]), START, DAYS, since)
    usual = make_staff(np.random.default_rng([seed, 2]), START, DAYS, {})
    frame = draw_cases(np.random.default_rng([seed, 3]), cases, staff, usual, seed)
    lot = np.random.default_rng([seed, 4]).random((8, len(frame)))
    shared = np.random.default_rng([seed, 5]).standard_normal(len(frame))
    steps = draw_steps(np.random.default_rng([seed, 6]), frame, _delay(np.random.default_rng([seed, 7]), frame))
    scene = _Scene(frame, steps, since, aim, lot, shared, lot[4] < 0.42)
    frame["survey_route"] = _survey_route(scene)
    frame["new_theme"] = _open_theme(scene)
    _skip_confirmation(scene)
    for cause in (name for name in _IN_STEPS if name in since):
        _plant_in_steps(scene, cause)
    bad = {metric: outcome(scene, scene.steps) for metric, outcome in _OF_STEPS.items()}
    for number, metric in enumerate(_DRAWN):
        bad[metric] = _draw(np.random.default_rng([seed, 20 + number]), scene, metric, bad)
    lost = scene.rated & (lot[5] < 0.03)
    for cause in (name for name in _IN_ANSWERS if name in since):
        _IN_ANSWERS[cause](scene, bad["csat"], lost)
    outcomes = {metric: _rows(scene, metric, each, lost) for metric, each in bad.items()}
    worth = pd.DataFrame(
        [(name, METRICS[name].points / (rows["period"] == "now").sum()) for name, rows in outcomes.items()],
        columns=["metric", "points"],
    )
    events = _events(np.random.default_rng([seed, 8]), scene, staff.people["agent"].to_numpy("object"))
    definitions, truth = _definitions(scene, lost), _truth(scene, outcomes, worth)
    return Quarters(START, staff, frame, outcomes, worth, events, definitions, *truth)


# What happens by itself


def _standing(rng: np.random.Generator, frame: pd.DataFrame, size: float) -> Array:
    """Return the sum of standing differences: of each dimension, of channel and category together, of agents."""
    out = np.zeros(len(frame))
    pairs = frame["channel"].str.cat(frame["category"], "/")
    for column in [*(frame[name] for name in _STANDING), pairs, frame["agent"]]:
        codes = pd.factorize(column, sort=True)[0]
        out += np.where(codes >= 0, rng.normal(0, size, 200)[codes], 0.0)
    return out


def _luck(rng: np.random.Generator, frame: pd.DataFrame, size: float) -> Array:
    """Return the luck of each case's day, and of its team in its week."""
    day, team = frame["day"].to_numpy(), pd.factorize(frame["team"], sort=True)[0]
    return rng.normal(0, size, DAYS)[day] + rng.normal(0, size, (20, DAYS // 7 + 1))[team, day // 7]


def _delay(rng: np.random.Generator, frame: pd.DataFrame) -> Array:
    busy = np.clip(np.log(frame["usual_load"].to_numpy() / 5), -0.7, 0.7)
    return _standing(rng, frame, 0.07) + _luck(rng, frame, _LUCK / _OF_WAITS) + 0.1 * busy


def _survey_route(scene: _Scene) -> Array:
    usual = {"phone": "ivr", "app": "in app", "web": "link", "mail": "link"}
    own = np.array([usual[each] for each in scene.column("channel")], dtype=object)
    return np.select([scene.lot[7] < 0.6, scene.lot[7] < 0.7], [own, np.full(len(own), "ivr", dtype=object)], "sms")


def _draw(rng: np.random.Generator, scene: _Scene, metric: str, bad: dict[str, Array]) -> Array:
    """Draw a rate's outcome for every case, with what is planted in it."""
    frame = scene.cases
    odds = METRICS[metric].base + _standing(rng, frame, 0.15) + _luck(rng, frame, _LUCK)
    if metric == "csat":
        odds += 0.5 * bad["resolved_by_due"] + 0.35 * bad["responded_15min"]
    elif metric == "repeat_case_7d":
        odds += 0.35 * bad["resolved_by_due"]
    elif metric == "attitude_score":
        odds += 0.25 * (scene.column("tenure") == "0-2 months")
    own = rng.standard_normal(len(frame))
    luck = ndtr(np.sqrt(_CASES_LUCK) * scene.shared + np.sqrt(1 - _CASES_LUCK) * own)
    rate = expit(odds)
    counted = scene.rated if metric in _SURVEYED else np.ones(len(frame), dtype=bool)
    for cause in (name for name, (of, _) in _IN_RATES.items() if of == metric and name in scene.since):
        seen, where = (mask & counted for mask in _IN_RATES[cause][1](scene))
        touched = where & scene.after(cause)
        # To skip a step was never good; only more cases do it now.
        made_worse = where if cause == "skipped_step" else touched
        more = error = 0.0
        for _ in range(3):
            p = np.clip(rate + more * touched, 0, 0.95)
            error = scene.error(p * (1 - p), rate * (1 - rate), seen, seen & scene.now)
            # The excess is to come out as it should, so it is the case's own luck that says how much more it takes.
            need = np.sort((luck - rate)[touched & (luck >= rate)])
            more = need[min(int(scene.target(cause, metric, error)), len(need) - 1)]
        excess = ((luck < rate + more) & (luck >= rate) & touched).sum()
        scene.effects[cause] = _Effect(metric, touched, float(excess), error)
        rate = rate + more * made_worse
    return (luck < rate).astype("float64")


# What is planted


def _open_theme(scene: _Scene) -> Array:
    """Return which cases are about documents asked for again; in most of them they are."""
    likely = np.isin(scene.column("category"), ("account", "billing", "refund"))
    after = scene.after("theme")
    theme = scene.lot[0] < np.where(after, np.where(likely, 0.09, 0.035), 0.006)
    scene.steps = replace(scene.steps, asked=scene.steps.asked | (theme & after & (scene.lot[1] < 0.8)))
    return theme


def _skip_confirmation(scene: _Scene) -> None:
    skipped = (scene.column("category") == "technical") & scene.after("skipped_step") & (scene.lot[3] < 0.45)
    scene.steps = replace(scene.steps, confirmed=scene.steps.confirmed & ~skipped)


_Mask = Callable[[_Scene], tuple[Array, Array]]


def _where(**values: str) -> _Mask:
    def masks(scene: _Scene) -> tuple[Array, Array]:
        mask = np.logical_and.reduce([scene.column(name) == value for name, value in values.items()])
        return mask, mask

    return masks


def _theme(scene: _Scene) -> tuple[Array, Array]:
    mask = scene.cases["new_theme"].to_numpy()
    return mask, mask


def _skipped(scene: _Scene) -> tuple[Array, Array]:
    technical = scene.column("category") == "technical"
    return technical, technical & ~scene.steps.confirmed


_IN_RATES: dict[str, tuple[str, _Mask]] = {
    "theme": ("csat", _theme),
    "new_definition": ("first_contact_resolution", _where(source="crm_b")),
    "overloaded_shift": ("first_contact_resolution", _where(shift="evening", team="Hotline B")),
    "skipped_step": ("reopen_rate", _skipped),
    "bad_version": ("repeat_case_7d", _where(version="5.2")),
    "reorganised_team": ("repeat_case_7d", _where(team="Technical 2")),
    "new_hires": ("attitude_score", _where(tenure="0-2 months")),
}
"""By cause: the metric; the cases among which it can be seen, and those it makes worse, whenever they came."""


def _plant_in_steps(scene: _Scene, cause: str) -> None:
    """Make a step slower, by as much as the cause is to be worth."""
    metric, circumstances, slower = _IN_STEPS[cause]
    seen, where = circumstances(scene)
    touched, outcome = where & scene.after(cause), _OF_STEPS[metric]
    before, usual = scene.steps, outcome(scene, scene.steps)
    if metric == "handle_time":
        variance, slope = np.full(len(seen), usual[seen].var()), np.zeros(len(seen))
    else:
        rate = usual[seen].mean() + 0.05
        variance = slope = np.full(len(seen), rate * (1 - rate))
    error = scene.error(variance, slope, seen, seen & scene.now)
    target = scene.target(cause, metric, error)
    low, high = 0.0, 4.0
    for _ in range(25):
        middle = (low + high) / 2
        enough = (outcome(scene, slower(before, touched, middle)) - usual).sum() >= target
        low, high = (low, middle) if enough else (middle, high)
    scene.steps = slower(before, touched, high)
    excess = float((outcome(scene, scene.steps) - usual).sum())
    scene.effects[cause] = _Effect(metric, touched, excess, error)


def _supplied(scene: _Scene) -> tuple[Array, Array]:
    mask = scene.steps.supplied & (scene.column("channel") == "app")
    return mask, mask


def _handed_on(scene: _Scene) -> tuple[Array, Array]:
    billing = scene.column("category") == "billing"
    return billing, billing & (scene.lot[2] < 0.5)


def _once_more(steps: Steps, touched: Array, amount: float) -> Steps:
    # Handed on once more, and the longer to wait for it.
    transfers = steps.transfers + (touched & (steps.transfers == 0))
    return replace(steps, transfers=transfers, transfer=steps.transfer * np.exp((amount - 1) * touched))


_IN_STEPS: dict[str, tuple[str, _Mask, Callable[[Steps, Array, float], Steps]]] = {
    "slow_queue": (
        "responded_15min",
        _where(queue="refunds"),
        lambda steps, touched, amount: replace(steps, answer=steps.answer * np.exp(amount * touched)),
    ),
    "weekend": (
        "responded_15min",
        _where(weekend="yes"),
        lambda steps, touched, amount: replace(steps, answer=steps.answer * np.exp(amount * touched)),
    ),
    "slow_step": (
        "resolved_by_due",
        _supplied,
        lambda steps, touched, amount: replace(steps, supplier=steps.supplier * np.exp(amount * touched)),
    ),
    "handovers": ("resolved_by_due", _handed_on, _once_more),
    "route_device": (
        "handle_time",
        _where(device="android", route="gateway b"),
        lambda steps, touched, amount: replace(steps, work=steps.work * np.exp(amount * touched)),
    ),
}
"""By cause: the metric, the cases as above, and the steps when those touched are slower by so much (logarithm)."""

_OF_STEPS: dict[str, Callable[[_Scene, Steps], Array]] = {
    "responded_15min": lambda scene, steps: (steps.answer > ANSWER).astype("float64"),
    "resolved_by_due": lambda scene, steps: (steps.total > scene.limit).astype("float64"),
    "handle_time": lambda scene, steps: np.round(steps.work * 3600),
}


def _turn_scale(scene: _Scene, csat: Array, lost: Array) -> None:
    """Turn the scale of one survey route upside down, for the last answers of the quarter."""
    where = scene.rated & (scene.column("survey_route") == "ivr")
    rate = csat[where].mean()
    variance = np.full(len(csat), rate * (1 - rate))
    error = scene.error(variance, variance, where, where & scene.now)
    answers = np.flatnonzero(where & scene.now & ~lost)
    count = int(scene.target("inverted_scale", "csat", error) / (1 - 2 * rate))
    scene.since["inverted_scale"] = int(scene.day[answers[-count]])
    touched = where & scene.after("inverted_scale")
    excess = (1 - 2 * csat)[touched & ~lost].sum()
    csat[touched] = 1 - csat[touched]
    scene.effects["inverted_scale"] = _Effect("csat", touched, float(excess), error)


def _lose_answers(scene: _Scene, csat: Array, lost: Array) -> None:
    """Lose most answers of satisfied customers who came by one channel, so that the others weigh more."""
    where = scene.rated & (scene.column("channel") == "web")
    touched = where & scene.after("lost_answers") & ~lost
    happy, n, rate = np.flatnonzero(touched & (csat == 0)), touched.sum(), csat[touched].mean()
    variance = np.full(len(csat), rate * (1 - rate))
    kept = n
    for _ in range(5):
        error = scene.error(variance, variance, where, where & scene.now) * np.sqrt(kept / n)
        kept = n - min(scene.target("lost_answers", "csat", error) / rate, 0.9 * len(happy))
    lost[happy[scene.lot[6, happy] < (n - kept) / len(happy)]] = True
    touched &= ~lost
    scene.effects["lost_answers"] = _Effect("csat", touched, float((csat - rate)[touched].sum()), error)


_IN_ANSWERS: dict[str, Callable[[_Scene, Array, Array], None]] = {
    "inverted_scale": _turn_scale,
    "lost_answers": _lose_answers,
}


# What is told of it


def _rows(scene: _Scene, metric: str, bad: Array, lost: Array) -> pd.DataFrame:
    frame, surveyed = scene.cases, metric in _SURVEYED
    counted = np.ones(len(frame), dtype=bool)
    if surveyed:
        counted = scene.rated & ~lost if metric == "csat" else scene.rated
    rows = frame.loc[counted, ["id", "at", "period", *DIMENSIONS, "agent"]]
    rows.insert(0, "case_id", rows["id"])
    rows["bad"] = bad[counted]
    if surveyed:
        rows["id"] = "s" + rows["case_id"]
        rows["survey_route"] = frame.loc[counted, "survey_route"]
    return rows.reset_index(drop=True)


def _events(rng: np.random.Generator, scene: _Scene, names: Array) -> pd.DataFrame:
    events = log(rng, scene.cases, scene.steps, names)
    row = events.pop("row").to_numpy()
    events.insert(0, "case_id", scene.column("id")[row])
    events["period"] = np.where(scene.now, "now", "before")[row]
    for name in DIMENSIONS:
        events[f"case_{name}"] = scene.column(name)[row]
    return events


def _definitions(scene: _Scene, lost: Array) -> pd.DataFrame:
    """Return week by week what could be an artefact: what is missing, whence rows come, how things were defined."""
    frame, monday = scene.cases, START - pd.Timedelta(days=START.day_of_week)
    week = (scene.day + START.day_of_week) // 7
    weeks = np.arange(week.max() + 1)
    parts = []

    def add(what: str, table: str, name: str, share: Array, among: Array) -> None:
        n = np.bincount(week[among], minlength=len(weeks))
        value = np.bincount(week[among], share[among].astype("float64"), minlength=len(weeks)) / np.maximum(n, 1)
        parts.append(pd.DataFrame({"what": what, "table": table, "name": name, "at": weeks, "value": value, "n": n}))

    everything = np.ones(len(frame), dtype=bool)
    for name in ("device", "route", "version"):
        add("missing", "cases", name, frame[name].isna().to_numpy(), everything)
    add("missing", "surveys", "csat", lost, scene.rated)
    for name in ("crm_a", "crm_b"):
        add("source", "cases", name, scene.column("source") == name, everything)
        changed = scene.after("new_definition") & (name == "crm_b")
        among = scene.column("source") == name
        add("definition", "cases", name, 1.0 + changed, among)
    for name in METRICS:
        add("definition", "cases", name, np.ones(len(frame)), everything)
    out = pd.concat(parts, ignore_index=True)
    # A definition changes from one week to the next, not bit by bit.
    out["value"] = out["value"].where(out["what"] != "definition", np.ceil(out["value"]))
    out["at"] = monday + pd.to_timedelta(out["at"] * 7, "D")
    return out


def _truth(
    scene: _Scene, outcomes: dict[str, pd.DataFrame], worth: pd.DataFrame
) -> tuple[dict[str, dict[str, object]], dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    points = worth.set_index("metric")["points"]
    sizes, ids, case_ids = {}, {}, {}
    for cause, effect in scene.effects.items():
        rows = outcomes[effect.metric]
        case_ids[cause] = frozenset(scene.cases.loc[effect.touched & scene.now, "id"])
        ids[cause] = frozenset(rows.loc[rows["case_id"].isin(case_ids[cause]), "id"])
        sizes[cause] = {
            "since": START + pd.Timedelta(days=scene.since[cause]), "n": len(ids[cause]), "excess": effect.excess,
            "points": effect.excess * points[effect.metric], "standard_errors": effect.excess / effect.error,
        }  # fmt: skip
    return sizes, ids, case_ids
