"""The catalogue: what ships can be answered; a bad definition is refused with file, line and remedy."""

from __future__ import annotations

import tomllib

import pytest
import sqlglot
from sqlglot import exp

from svcanalytics import resources
from svcanalytics.errors import CatalogueError
from svcanalytics.metrics import catalogue, families
from svcanalytics.metrics.expressions import condition, parse
from svcanalytics.metrics.views import VIEWS, view
from svcanalytics.store.contract import contract

GOOD = """
[metrics.mine]
name = { zh = "我的", en = "Mine" }
definition.zh = "一句话。"
definition.en = "One sentence."
family = "response"
view = "cases"
kind = "rate"
numerator = "sla_met"
denominator = "sla_met is not null"
at = "opened_at"
unit = "share"
direction = "up"
"""


@pytest.fixture
def own(lake):
    """Return a function that writes the organisation's own metrics and reads the catalogue."""

    def write(text: str):
        folder = lake.path.parent / "catalogue"
        folder.mkdir(exist_ok=True)
        (folder / "metrics.toml").write_text(text, "utf-8")
        return catalogue(lake)

    return write


def test_at_least_fifty_metrics_cover_the_eight_families():
    metrics = catalogue().metrics.values()
    assert len(metrics) >= 50 and {metric.family for metric in metrics} == set(families()) and len(families()) == 8


def test_every_metric_says_what_it_is_in_one_sentence_of_each_language():
    for metric in catalogue().metrics.values():
        assert metric.definition.zh.endswith("。") and metric.definition.zh.count("。") == 1, metric.id
        assert metric.definition.en.endswith(".") and ". " not in metric.definition.en, metric.id
    for language in ("zh", "en"):
        names = [metric.name[language] for metric in catalogue().metrics.values()]
        assert len(set(names)) == len(names)


def test_an_own_metric_adds_to_the_shipped_ones_and_an_own_csat_overrides(own):
    changed = own(GOOD + GOOD.replace("metrics.mine", "metrics.csat").replace("Mine", "Ours").replace("我的", "我们的"))
    assert changed["mine"].min_n == 10 and changed["csat"].name.en == "Ours"
    assert len(changed.metrics) == len(catalogue().metrics) + 1


@pytest.mark.parametrize(
    ("wrong", "line", "says"),
    [
        (('numerator = "sla_met"', 'numerator = "sla_mte"'), 9, "did you mean sla_met"),
        (('numerator = "sla_met"', "numerator = \"read_csv('x')\""), 9, "not allowed"),
        (('numerator = "sla_met"', 'numerator = "(select 1)"'), 9, "not allowed"),
        (('numerator = "sla_met"', 'numerator = "sla_met; drop table cases"'), 9, "not one expression"),
        (('numerator = "sla_met"', 'numerator = "reopened_n + 1"'), 9, "not yes or no"),
        (('numerator = "sla_met"', 'numerator = "1.5 * reopened_n"'), 9, "not whole"),
        (('at = "opened_at"', 'at = "team"'), 11, "no time of view"),
        (('view = "cases"', 'view = "tickets"'), 7, "no view 'tickets'"),
        (('kind = "rate"', 'kind = "share"'), 8, "'rate', 'mean'"),
        (('kind = "rate"', 'kind = "rate"\nq = 0.5'), 9, "quantile"),
        (('unit = "share"', 'unit = "share"\ntarget = 0.9\nfloor = 0.95\ngoal = 1.0'), 14, "direction"),
        (('unit = "share"', 'unit = "share"\ngoal = 1.0'), 2, "together"),
        (('unit = "share"', 'unit = "share"\ncolour = "red"'), 13, "remove it"),
        (('family = "response"\n', ""), 2, "add family"),
        (('definition.zh = "一句话。"\n', ""), 4, "add definition.zh"),
        (('direction = "up"', 'direction = "up'), 0, "line"),
    ],
)
def test_a_bad_definition_is_refused_with_file_line_and_remedy(own, wrong, line, says):
    with pytest.raises(CatalogueError) as refused:
        own(GOOD.replace(*wrong))
    error = refused.value
    assert error.where == (f"metrics.toml:{line}" if line else "metrics.toml")
    assert error.fix and says in str(error)


def test_a_misspelt_metric_names_the_nearest():
    with pytest.raises(CatalogueError, match="first_contact_resolution"):
        catalogue().choose("first_contact_resolutoin")


@pytest.mark.parametrize(
    "text",
    [
        *("count(*)", "x / 2", "a::int", "t.x", "x in (select 1)", "'a' || 'b'", "$1", "?", "", "x; y", "[1]"),
        *("exists(select 1)", "date_diff('day', a, b)", "getenv('HOME')", "x is not null --\n; drop table y"),
        *("lead(x) over ()", "sum(x)", "* ", "struct_pack(a := 1)", "x like y escape '!'"),
    ],
)
def test_what_is_not_on_the_list_is_refused(text):
    with pytest.raises(CatalogueError):
        parse(text)


def test_a_filter_value_stays_a_value():
    wicked = "x') or 1=1 --"
    sql = condition({'team"; drop': [wicked, None], "n": 3, "on": True})
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    assert [literal.name for literal in tree.find_all(exp.Literal) if literal.is_string] == [wicked]
    assert {column.name for column in tree.find_all(exp.Column)} == {'team"; drop', "n", "on"}


def test_every_derived_column_has_the_type_its_view_states(lake):
    types = {"integer": {"BIGINT", "INTEGER"}, "text": {"VARCHAR"}, "json": {"VARCHAR"}, "boolean": {"BOOLEAN"}}
    types |= {"timestamp": {"TIMESTAMP WITH TIME ZONE"}, "date": {"DATE"}, "number": {"DOUBLE"}}
    con = lake.connection()
    for of in VIEWS.values():
        relation = con.sql(of.select(of.columns(), lake.timezone))
        found = dict(zip(relation.columns, map(str, relation.types), strict=True))
        assert {name for name, kind in of.columns().items() if found[name] not in types[kind]} == set(), of.name
    con.close()


def test_every_metric_needs_only_columns_that_a_source_or_a_workbook_fills():
    fillable = _fillable()
    for metric in catalogue().metrics.values():
        missing = _read(metric) - fillable
        assert not missing, f"{metric.id} reads {sorted(missing)}, which nothing fills"


def _fillable() -> set[tuple[str, str]]:
    """Return the columns that a shipped mapping names or a fill-in workbook has."""
    tables = contract().tables
    found = {(table.name, column) for table in tables.values() if table.template for column in table.columns}
    found |= {(table.name, column) for table in tables.values() for column in table.common}
    for file in resources.path("sources").glob("*.toml"):
        for name, spec in tomllib.loads(file.read_text("utf-8")).get("tables", {}).items():
            found |= {(name, column) for column in spec.get("columns", {})}
    return found


def _read(metric) -> set[tuple[str, str]]:
    """Return the contract columns behind a metric, through its view's derived columns and joins."""
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import traverse_scope

    schema = {
        table.name: {name: column.sql_type for name, column in table.all_columns.items()}
        for table in contract().tables.values()
    }
    of = view(metric.view)
    tree = sqlglot.parse_one(of.select(metric.columns() | {metric.at}, "UTC"), dialect="duckdb")
    found = set()
    for scope in traverse_scope(qualify(tree, schema=schema, dialect="duckdb", validate_qualify_columns=False)):
        for column in scope.columns:
            source = scope.sources.get(column.table)
            if isinstance(source, exp.Table) and source.name in schema:
                found.add((source.name, column.name))
    assert found, metric.id
    return found
