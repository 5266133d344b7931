"""DataSource documents of type Prometheus as sources that are polled."""

from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request

from libs.events.handler import Step
from libs.web.calls import Call
from libs.web.problems import in_words
from services.slo.api.promises import AnyStep, Plan
from services.slo.api.sources import SourceSettings
from services.slo.config import SloSettings
from services.slo.contract import SOURCE
from services.slo.domain.errors import InvalidSourceError, SourceRetiredError
from services.slo.domain.openslo.checking import is_prometheus
from services.slo.domain.source.commands import DefineSource

_SCOPE = "sources.write"


async def with_sources(request: Request, call: Call, made: Plan) -> Plan:
    """*made*, which also defines a source for each DataSource that can be one; the others get a warning that says why.

    `connectionDetails` are the body of `PUT /v1/sources/{source}`, whose address may also be called `url`.
    """
    steps: list[AnyStep] = []
    for planned in made.planned.values():
        kind, name = planned.sent.key
        spec: Any = planned.sent.document.get("spec")
        if kind != "DataSource" or not is_prometheus(spec["type"]):
            continue
        try:
            settings = _read(spec["connectionDetails"]).settings
            command = DefineSource(name, settings, call.context.at)
            SOURCE.decide(command, (await call.resources.handler.load(SOURCE, name)).state)
        except (ValidationError, InvalidSourceError, SourceRetiredError) as error:
            planned.warnings.append(f"spec.connectionDetails: it is not polled: {_said(error)}")
            continue
        allowed: SloSettings = request.app.state.settings
        if not call.principal.may(_SCOPE):
            planned.warnings.append(f"it is not polled: that needs the scope {_SCOPE}")
        elif not allowed.may_ask(settings.address):
            said = f"add the host of {settings.address} to CONCORDAT_SOURCE_HOSTS"
            planned.warnings.append(f"spec.connectionDetails: it is not polled: {said}")
        else:
            steps.append(Step(SOURCE, name, command))
    return replace(made, beside=[*made.beside, *steps])


def _read(details: Any) -> SourceSettings:  # noqa: ANN401  whatever the document holds
    if isinstance(details, dict) and "url" in details and "address" not in details:
        details = {"address" if key == "url" else key: value for key, value in details.items()}
    return SourceSettings.model_validate(details)


def _said(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {in_words(each)}" for each in error.errors(include_url=False))
