"""Commands that bring an SLO the counts of its past, through the gateway; each may be repeated."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from libs.events.clock import SystemClock
from services.cli.errors import REFUSED, CliError
from services.cli.remote import Gateway
from services.slo.measurements.imports import read_measurements

Line = dict[str, Any]
_LINES_PER_REQUEST: Final = 2_000
_AHEAD: Final = timedelta(minutes=5)  # as far as the service takes buckets of the future
_LOOK_EVERY_S: Final = 0.5


async def send_file(url: str, api_key: str, slo: str, file: Path, source: str, after: int) -> AsyncIterator[Line]:
    """Send the CSV or JSON lines of *file* behind line *after*; wrong lines are named and keep no other out.

    Raises:
        CliError: The gateway cannot be reached, or refuses; it says behind which line to go on.
    """
    with file.open(encoding="utf-8", errors="replace") as lines:
        total = sum(1 for _ in lines)
    sent = refused = 0
    reached = after
    body: Line = {"source": source} if source else {}
    async with Gateway(url, api_key) as gateway:
        with file.open(encoding="utf-8", errors="replace") as lines:
            latest = SystemClock().now() + _AHEAD
            for batch in read_measurements(lines, slo, source, 0, latest=latest, size=_LINES_PER_REQUEST):
                if batch.line <= after:
                    continue
                body["buckets"] = [
                    {"start": each.start.isoformat(), "good": each.good, "total": each.total}
                    for each in batch.measurements.values()
                ]
                if body["buckets"]:
                    try:
                        answer = await gateway.call("POST", f"/v1/slos/{slo}/measurements", body)
                    except CliError as error:
                        message = f"{error}; {sent} buckets up to line {reached} are kept: go on with --after {reached}"
                        raise CliError(message, error.exit_code) from error
                    sent, refused = sent + answer["accepted"], refused + answer.get("refused", 0)
                for wrong in batch.refused:
                    yield {
                        "item": {"line": wrong.line, "code": wrong.code, "detail": wrong.detail, "fix": wrong.remedy}
                    }
                refused, reached = refused + len(batch.refused), batch.line
                yield {"progress": {"label": f"import {slo}", "done": reached, "total": total}}
    yield {"summary": {"buckets": sent, "refused_lines": refused, "last_line": reached}}


async def backfill(url: str, api_key: str, slo: str, since: str, until: str) -> AsyncIterator[Line]:
    """Have the SLO's source read for a range of the past, and say how far it is; it goes on without us.

    Raises:
        CliError: The gateway or the source refuses.
    """
    async with Gateway(url, api_key) as gateway:
        asked = {"from": since, "until": until or SystemClock().now().isoformat()}
        found = (await gateway.call("POST", f"/v1/slos/{slo}:backfill", asked))["backfill"]
        wanted = found["since"], found["until"]
        while (found["since"], found["until"]) == wanted:
            done, minutes = found["minutes_done"], found["minutes"]
            yield {"progress": {"label": f"backfill {slo}", "done": done, "total": minutes}}
            if found["done"]:
                yield {"summary": {"minutes": minutes, "from": found["since"], "until": found["until"]}}
                return
            if error := found["error"]:
                message = (
                    f"{error['place']}: {error['detail']} ({error['code']}); {error['remedy']}. {done} of {minutes}"
                    " minutes are read; the service goes on by itself, and the same command shows how far it is"
                )
                raise CliError(message, REFUSED)
            await asyncio.sleep(_LOOK_EVERY_S)
            found = (await gateway.call("GET", f"/v1/slos/{slo}/polling"))["backfill"]
        message = f"another backfill of {slo} took the place of this one: {found['since']} to {found['until']}"
        raise CliError(message, REFUSED)
