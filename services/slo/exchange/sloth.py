"""Sloth's own documents: `prometheus/v1`, and the Kubernetes object `sloth.slok.dev/v1`.

Both say the same; Kubernetes writes `errorQuery` where the other has `error_query`. Limits are those of Sloth, except
that a target of 100 % is refused: it leaves no error budget, and every burn rate would be infinite.
"""

import re

from services.slo.domain.error_budget import Target
from services.slo.domain.errors import InvalidTargetError
from services.slo.exchange.level import Alert, Events, Raw, ServiceLevel
from services.slo.exchange.queries import InvalidQueryError, check
from services.slo.exchange.reader import Reader

_NAME = re.compile(r"[A-Za-z0-9][-A-Za-z0-9_.]*[A-Za-z0-9]")


def camel_case(name: str) -> str:
    """`error_query` as Kubernetes writes it: `errorQuery`."""
    first, *rest = name.split("_")
    return first + "".join(map(str.title, rest))


def read_levels(top: Reader, period_min: int) -> list[ServiceLevel]:
    """The SLOs of a `prometheus/v1` document, or of the `spec` of a Kubernetes one.

    Args:
        top: The document; faults are noted in it.
        period_min: The period of its SLOs, which the format leaves to whoever makes the rules.
    """
    service = checked_name(top, "service")
    labels = top.strings("labels")
    _refuse_plugins(top, "slo_plugins")
    levels = [_level(fields, service, labels, period_min) for fields in top.items("slos")]
    if "slos" in top and not levels:
        top.refuse("slos", "required", "must hold at least one SLO")
    elif not levels:
        top.refuse("slos", "required", "is required")
    return levels


def checked_name(fields: Reader, name: str) -> str:
    """A name as Sloth takes it; empty, and a fault noted, if it is none."""
    text = fields.text(name, required=True)
    if text and not _NAME.fullmatch(text):
        fields.refuse(
            name,
            "name_invalid",
            "must be letters, digits, '.', '_' and '-', beginning and ending with a letter or digit",
        )
        return ""
    return text


def checked_query(fields: Reader, name: str) -> str:
    """A query over `{{.window}}`; a fault is noted if it is none."""
    query = fields.text(name, required=True)
    if query:
        try:
            check(query, fields.notes.complain)
        except InvalidQueryError as error:
            fields.refuse(name, error.code, error.detail)
    return query


def checked_target(fields: Reader, name: str, *, percent: bool) -> Target:
    """A target; a fault is noted if it leaves no budget, or is none."""
    value = fields.number(name)
    if value is None:
        if name not in fields:
            fields.refuse(name, "required", "is required")
    else:
        try:
            if value > 0:
                return Target.of_percent(value) if percent else Target.of(value)
        except InvalidTargetError:
            pass
        most = 100 if percent else 1
        detail = f"must be above 0 and below {most}, is {value:g}"
        fields.refuse(
            name, "target_invalid", f"{detail}; {most} would leave no error budget" if value >= most else detail
        )
    return Target(0, 1)


def _level(fields: Reader, service: str, labels: dict[str, str], period_min: int) -> ServiceLevel:
    name = checked_name(fields, "name")
    fields.text("description")
    _refuse_plugins(fields, "plugins")
    target = checked_target(fields, "objective", percent=True)
    own_labels = labels | fields.strings("labels")
    sli = _sli(fields, fields.section("sli"))
    alerting = fields.section("alerting")
    page, ticket = (_alert(alerting, severity) for severity in ("page_alert", "ticket_alert"))
    if not alerting.text("name") and (page or ticket):
        alerting.refuse("name", "required", "is required, or both alerts disabled")
    return ServiceLevel(f"{service}-{name}", name, service, target, sli, period_min, own_labels, page, ticket)


def _sli(level: Reader, fields: Reader) -> Events | Raw:
    if "plugin" in fields:
        fields.take("plugin")
        fields.refuse(
            "plugin", "plugin_unsupported", "Sloth's plugins are Go programs; write its query as raw or events"
        )
        return Raw("")
    given = [kind for kind in ("events", "raw") if kind in fields]
    if len(given) != 1:
        for kind in ("events", "raw"):
            fields.take(kind)
        level.refuse("sli", "required", "must hold events or raw, and only one of them")
        return Raw("")
    queries = fields.section(given[0])
    if given == ["raw"]:
        return Raw(checked_query(queries, "error_ratio_query"))
    events = Events(checked_query(queries, "error_query"), checked_query(queries, "total_query"))
    if events.bad and events.bad == events.total:
        queries.refuse("error_query", "queries_equal", "must not be the same query as that of all events")
    return events


def _alert(alerting: Reader, severity: str) -> Alert | None:
    name, labels, annotations = (alerting.text("name"), alerting.strings("labels"), alerting.strings("annotations"))
    own = alerting.section(severity)
    own_labels, own_annotations = own.strings("labels"), own.strings("annotations")
    return None if own.flag("disable") else Alert(name, labels | own_labels, annotations | own_annotations)


def _refuse_plugins(fields: Reader, name: str) -> None:
    if name in fields:
        fields.refuse(
            name, "plugin_unsupported", "Sloth's plugins are Go programs; remove them, and change the rules after"
        )
    fields.take(name)
