"""The `concordat` command. Exit codes are in `errors.py`; what is heavy is imported by the command that needs it."""

import gc
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.errors import INTERRUPTED, NO, USAGE, CliError, as_cli_error

SERVICES = ("lifecycle", "slo", "incidents", "gateway")

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="The agreement between development and SRE teams: its services, its logs, its figures.",
)
projections_app = typer.Typer(no_args_is_help=True, help="Read models: how far they are, and how to make them anew.")
events_app = typer.Typer(no_args_is_help=True, help="The logs: read, export, import, verify, publish again.")
letters_app = typer.Typer(no_args_is_help=True, help="Events that could not be applied.")
demo_app = typer.Typer(no_args_is_help=True, help="A realistic organisation to look at.")
slo_app = typer.Typer(no_args_is_help=True, help="Service level objectives.")
rotation_app = typer.Typer(no_args_is_help=True, help="On-call rotations.")
postmortem_app = typer.Typer(no_args_is_help=True, help="Postmortems.")
incidents_app = typer.Typer(no_args_is_help=True, help="Incidents, as they happen.")
openslo_app = typer.Typer(no_args_is_help=True, help="OpenSLO documents.")
for name, group in (
    ("projections", projections_app),
    ("events", events_app),
    ("dead-letters", letters_app),
    ("demo", demo_app),
    ("slo", slo_app),
    ("incidents", incidents_app),
    ("openslo", openslo_app),
    ("postmortem", postmortem_app),
    ("rotation", rotation_app),
):
    app.add_typer(group, name=name)

DataDir = Annotated[
    Path | None, typer.Option(help="The embedded installation's folder (CONCORDAT_DATA_DIR, else .concordat).")
]
Json = Annotated[bool, typer.Option("--json", help="JSON lines for machines.")]
Service = Annotated[
    str,
    typer.Option(
        envvar="CONCORDAT_SERVICE", help="Only this service; needed where CONCORDAT_DATABASE_URL is one service's."
    ),
]
Url = Annotated[str, typer.Option(envvar="CONCORDAT_URL", help="The gateway.")]
ApiKey = Annotated[str, typer.Option(envvar="CONCORDAT_API_KEY", help="Else the data directory's admin.key.")]
Yes = Callable[[dict[str, Any]], bool]


def main() -> None:
    """Run the command line; refusals become one line and an exit code."""
    try:
        code = app(standalone_mode=False)  # so a typer.Exit is not raised: its code is returned
        if code:
            sys.exit(code)
    except typer.Abort:
        sys.exit(INTERRUPTED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has seen enough
        sys.exit(0)
    except Exception as error:  # noqa: BLE001  the outermost place: what is unknown is raised again
        said = getattr(error, "format_message", None)
        if said is not None:  # typer's own: the command is not written like that
            sys.stderr.write(f"concordat: {str(said()).rstrip('.')}; see --help\n")
            sys.exit(USAGE)
        known = as_cli_error(error)
        sys.stderr.write(f"concordat: {known}\n")
        sys.exit(known.exit_code)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 8080,
    data_dir: DataDir = None,
) -> None:
    """Everything in one process, on files in the data directory."""
    gc.disable()  # what the start makes stays; looking for garbage in it took a fifth of the time (on again: serve_app)
    from services.cli.logs import configure_logs
    from services.cli.serve import serve as run_serve

    configure_logs()
    _run(run_serve(host, port, data_dir))


@app.command()
def run(
    service: Annotated[str, typer.Argument(help=" | ".join(SERVICES))],
    role: Annotated[str, typer.Argument(help="api | worker")],
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Of the API, or of a worker's probes; 0 takes a free one.", min=0)] = 8000,
) -> None:
    """One role of one service, as production runs it."""
    gc.disable()  # as above
    from services.cli.logs import configure_logs
    from services.cli.roles import run_role

    configure_logs()
    _run(run_role(_known(service), role, host, port))


@app.command()
def migrate(service: Annotated[str, typer.Argument(help=" | ".join(SERVICES))]) -> None:
    """Bring a service's PostgreSQL schema up to date; two at once: the second waits and does nothing."""
    from services.cli.roles import migrate_service

    migrate_service(_known(service))


@projections_app.command("list")
def projections_list(
    data_dir: DataDir = None,
    service: Service = "",
    digest: Annotated[bool, typer.Option("--digest", help="With a hash of the rows.")] = False,
    as_json: Json = False,
) -> None:
    """Every read model: its generation, its lag, its dead letters."""
    _operate("projections list", {"service": service, "digest": digest}, data_dir, as_json, service)


@projections_app.command("rebuild")
def projections_rebuild(
    projection: Annotated[str, typer.Argument(metavar="NAME", help="As `list` shows it, or `all`.")],
    data_dir: DataDir = None,
    service: Service = "",
    as_json: Json = False,
) -> None:
    """Make a read model anew beside the old one, then switch."""
    _operate("projections rebuild", {"name": projection, "service": service}, data_dir, as_json, service)


@events_app.command("tail")
def events_tail(
    data_dir: DataDir = None,
    service: Service = "",
    after: Annotated[int, typer.Option(help="Begin behind this position.")] = 0,
    limit: Annotated[int, typer.Option(help="Stop after so many; 0 for all.")] = 0,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for more.")] = False,
    as_json: Json = False,
) -> None:
    """Print events in the order of the log."""
    arguments = {"service": service, "after": after, "limit": limit, "follow": follow}
    _operate("events tail", arguments, data_dir, as_json, service, text=_event_line)


@events_app.command("export")
def events_export(file: Path, data_dir: DataDir = None, service: Service = "", as_json: Json = False) -> None:
    """Write whole logs to FILE, as JSON lines."""
    _operate("events export", {"file": str(file.absolute()), "service": service}, data_dir, as_json, service)


@events_app.command("import")
def events_import(file: Path, data_dir: DataDir = None, service: Service = "", as_json: Json = False) -> None:
    """Append what `export` wrote, with its times; may be repeated."""
    _operate("events import", {"file": str(file.absolute())}, data_dir, as_json, service)


@events_app.command("verify")
def events_verify(data_dir: DataDir = None, service: Service = "", as_json: Json = False) -> None:
    """Check versions, positions and schema of every event; exit 0 only if the logs are sound."""
    _operate("events verify", {"service": service}, data_dir, as_json, service, bad=lambda s: s["faults"] > 0)


@events_app.command("republish")
def events_republish(
    start: Annotated[int, typer.Option("--from", help="The first position to publish again.", min=1)],
    data_dir: DataDir = None,
    service: Service = "",
    as_json: Json = False,
) -> None:
    """Publish events again, on purpose; consumers drop what they have."""
    _operate("events republish", {"start": start, "service": service}, data_dir, as_json, service)


@letters_app.command("list")
def letters_list(data_dir: DataDir = None, service: Service = "", as_json: Json = False) -> None:
    """Every event that could not be applied, why, and what waits behind it."""
    _operate("dead-letters list", {"service": service}, data_dir, as_json, service)


@letters_app.command("replay")
def letters_replay(
    stream: Annotated[str, typer.Argument(help="Only this stream; all without.")] = "",
    data_dir: DataDir = None,
    service: Service = "",
    as_json: Json = False,
) -> None:
    """Apply dead letters again, after the fix; exit 1 if one stays dead."""
    arguments = {"stream": stream, "service": service}
    _operate("dead-letters replay", arguments, data_dir, as_json, service, bad=lambda s: s["remaining"] > 0)


@demo_app.command("load")
def demo_load(
    data_dir: DataDir = None,
    service: Service = "",
    seed: Annotated[int, typer.Option(help="The same seed and day give the same history.")] = 1,
    until: Annotated[str, typer.Option(help="The day after its last, such as 2026-11-21; today unless given.")] = "",
    as_json: Json = False,
) -> None:
    """Write two years of teams, services, engagements and incidents; may be repeated, whether or not a server runs."""
    arguments = {"seed": seed, "until": until}
    _operate("demo load", arguments, data_dir, as_json, service, begins=True)


@app.command()
def api(
    method: Annotated[str, typer.Argument(help="GET, POST, PUT, PATCH or DELETE.")],
    path: Annotated[str, typer.Argument(help="Such as /v1/overview.")],
    body: Annotated[str, typer.Argument(help="JSON, @FILE (JSON or YAML), or @- for standard input.")] = "",
    url: Url = "http://127.0.0.1:8080",
    api_key: ApiKey = "",
    data_dir: DataDir = None,
) -> None:
    """Send one request to the gateway and print its answer."""
    from services.cli.remote import request

    typer.echo(_run(request(url, _api_key(api_key, data_dir), method.upper(), path, body)))


@incidents_app.command("watch")
def incidents_watch(  # noqa: PLR0913  each is an option
    incident: Annotated[str, typer.Argument(help="Only this one: its number, such as INC-42, or its id.")] = "",
    service: Annotated[list[str] | None, typer.Option(help="Only of this service; may be repeated.")] = None,
    once: Annotated[bool, typer.Option("--once", help="End with the stream instead of coming back to it.")] = False,
    url: Url = "http://127.0.0.1:8080",
    api_key: ApiKey = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Show what is open, then what happens to incidents and alerts, until interrupted."""
    from services.cli.show import show
    from services.cli.watching import as_text, watch

    lines = watch(url, _api_key(api_key, data_dir), incident, service or [], forever=not once)
    _run(show(lines, as_json=as_json, text=as_text))


@slo_app.command("import-access-log")
def import_access_log(
    slo: Annotated[str, typer.Argument(help="The SLO's name.")],
    file: Annotated[Path, typer.Argument(help="Apache or nginx, common or combined format.")],
    url: Url = "http://127.0.0.1:8080",
    api_key: ApiKey = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Count an access log into minutes (good: status below 500) and send them as measurements."""
    from services.cli.remote import send_access_log
    from services.cli.show import show

    _run(show(send_access_log(url, _api_key(api_key, data_dir), slo, file), as_json=as_json))


@slo_app.command("import")
def import_counts(  # noqa: PLR0913  each is an option
    slo: Annotated[str, typer.Argument(help="The SLO's name.")],
    file: Annotated[Path, typer.Argument(help="CSV (start,good,total; a bucket a minute) or JSON lines.")],
    source: Annotated[str, typer.Option(help="Who counted; counts of several sources add up.")] = "",
    after: Annotated[int, typer.Option(help="Go on behind this line.", min=0)] = 0,
    url: Url = "http://127.0.0.1:8080",
    api_key: ApiKey = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Send a file of counts per minute as measurements; may be repeated. Exit 1 when a line is refused."""
    from services.cli.measurements import send_file
    from services.cli.show import as_line, show

    lines = send_file(url, _api_key(api_key, data_dir), slo, file, source, after)
    if any(summary["refused_lines"] for summary in _run(show(lines, as_json=as_json, text=as_line))):
        raise typer.Exit(NO)


@slo_app.command("backfill")
def slo_backfill(  # noqa: PLR0913  each is an option
    slo: Annotated[str, typer.Argument(help="The SLO's name; it names a source that is polled.")],
    since: Annotated[str, typer.Option("--from", help="RFC 3339, such as 2026-10-24T00:00:00Z.")],
    until: Annotated[str, typer.Option(help="RFC 3339; now unless given.")] = "",
    url: Url = "http://127.0.0.1:8080",
    api_key: ApiKey = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Read a range of an SLO's past from its source; interrupted, the service goes on, and so does the same command."""
    from services.cli.measurements import backfill
    from services.cli.show import show

    _run(show(backfill(url, _api_key(api_key, data_dir), slo, since, until), as_json=as_json))


@slo_app.command("report")
def slo_report(  # noqa: PLR0913  each is an option
    file: Annotated[Path, typer.Argument(help="CSV (start,good,total; a bucket a minute) or JSON lines.")],
    target: Annotated[float, typer.Option(help="Such as 0.999.")],
    method: Annotated[str, typer.Option(help="occurrences | timeslices | ratio-timeslices")] = "occurrences",
    window: Annotated[str, typer.Option(help="Such as 28d.")] = "28d",
    until: Annotated[str, typer.Option(help="RFC 3339; the end of the last bucket unless given.")] = "",
    slice_length: Annotated[str, typer.Option("--slice", help="Length of a slice.")] = "1m",
    slice_target: Annotated[float, typer.Option(help="What makes a slice good.")] = 0.95,
    empty: Annotated[str, typer.Option(help="Slices without events: ignore | good | bad")] = "ignore",
) -> None:
    """The figures of one SLO from a file of counts, as one JSON object; needs no server."""
    import json

    from services.slo.domain.errors import InvalidBucketError, SloError
    from services.slo.report import report_file

    try:
        figures = report_file(
            file,
            target=target,
            method=method,
            window=window,
            until=until or None,
            slice_length=slice_length,
            slice_target=slice_target,
            empty=empty,
        )
    except InvalidBucketError as error:
        message = f"{file}: {error}"
        raise CliError(message, NO) from error
    except SloError as error:
        raise CliError(str(error), USAGE) from error
    typer.echo(json.dumps(figures))


@slo_app.command("rules")
def slo_rules(  # noqa: PLR0913  each is an option
    file: Annotated[
        Path, typer.Argument(help="Sloth prometheus/v1 or sloth.slok.dev/v1, OpenSLO v1 or v1alpha; YAML or JSON.")
    ],
    period: Annotated[str, typer.Option(help="Of SLOs whose document names none.")] = "30d",
    event_weighted: Annotated[
        bool, typer.Option("--event-weighted", help="The period's ratio counts every event once.")
    ] = False,
    extra_labels: Annotated[
        list[str] | None, typer.Option("--extra-labels", "-l", help="NAME=VALUE on all recorded series.")
    ] = None,
    disable_recordings: Annotated[bool, typer.Option("--disable-recordings", help="Alerting rules only.")] = False,
    disable_alerts: Annotated[bool, typer.Option("--disable-alerts", help="Recording rules only.")] = False,
    windows: Annotated[
        list[Path] | None, typer.Option(help="Sloth AlertWindows that replace the defaults of their period.")
    ] = None,
    mode: Annotated[str, typer.Option(help="strict | lenient: unknown fields are errors, or warnings.")] = "lenient",
) -> None:
    """Prometheus rules of the SLOs in FILE, a document for each; needs no server. Exit 1 when one is invalid."""
    from services.slo.domain.errors import InvalidOptionError
    from services.slo.exchange.files import RefusedFileError, options_of, rules_of

    try:
        options = options_of(
            period=period,
            event_weighted=event_weighted,
            labels=extra_labels or [],
            recordings=not disable_recordings,
            alerts=not disable_alerts,
            windows=windows or [],
            strict=_one_of("--mode", mode, "strict", "lenient") == "strict",
        )
        rules, warnings = rules_of(file, options)
    except InvalidOptionError as error:
        raise CliError(str(error), USAGE) from error
    except RefusedFileError as error:
        typer.echo(error, err=True)
        raise typer.Exit(NO) from error
    for warning in warnings:
        typer.echo(warning, err=True)
    typer.echo(rules, nl=False)


@rotation_app.command("preview")
def rotation_preview(
    file: Annotated[Path, typer.Argument(help="JSON, as POST /v1/rotations:preview takes it.")],
) -> None:
    """Computed shifts of a rotation that is not stored, as one JSON object; needs no server. Exit 1 when invalid."""
    import msgspec
    from pydantic import ValidationError

    from libs.web.problems import Place
    from services.incidents.api.rotation_schemas import PreviewRotation, preview_of
    from services.incidents.domain.on_call.errors import OnCallError

    try:
        preview = preview_of(PreviewRotation.model_validate_json(file.read_bytes()))
    except ValidationError as error:
        for place in (Place.of_shape(found, found["loc"]) for found in error.errors()):
            typer.echo(f"{file}: {place.pointer}: {place.detail}", err=True)
        raise typer.Exit(NO) from error
    except OnCallError as error:
        message = f"{file}: /{error.field}: {error}"
        raise CliError(message, NO) from error
    typer.echo(msgspec.json.encode(preview).decode())


@openslo_app.command("upgrade")
def openslo_upgrade(file: Annotated[Path, typer.Argument(help="OpenSLO v1alpha; YAML or JSON.")]) -> None:
    """OpenSLO v1 of v1alpha documents, and on standard error what changed; needs no server."""
    from services.slo.exchange.files import RefusedFileError, upgraded

    try:
        documents, changes = upgraded(file)
    except RefusedFileError as error:
        typer.echo(error, err=True)
        raise typer.Exit(NO) from error
    for change in changes:
        typer.echo(change, err=True)
    typer.echo(documents, nl=False)


@postmortem_app.command("lint")
def postmortem_lint(
    file: Annotated[Path, typer.Argument(help="Markdown, such as `/v1/postmortems/{id}/export` gives.")],
    output: Annotated[str, typer.Option("--format", help="text | json")] = "text",
    rules: Annotated[
        Path | None, typer.Option(envvar="CONCORDAT_BLAMELESS_RULES", help="Other rules than those of the program.")
    ] = None,
) -> None:
    """Advice on a postmortem: what blames people, what nobody could follow up; needs no server, always exits 0."""
    import json
    from dataclasses import asdict

    from services.incidents.config import BLAMELESS_RULES, load_rules
    from services.incidents.domain.blameless import lint
    from services.incidents.exchange.postmortem_file import read_file

    found = lint(read_file(file), load_rules(rules or BLAMELESS_RULES))
    if _one_of("--format", output, "text", "json") == "json":
        typer.echo(json.dumps([asdict(each) for each in found], ensure_ascii=False, indent=2))
        return
    for each in found:
        said = f"\n  {each.sentence}" if each.sentence else ""
        typer.echo(f"{file}:{each.line}:{each.column}: {each.rule}{said}\n  {each.why}\n  {each.suggestion}")
    typer.echo(f"{len(found)} pieces of advice" if found else "nothing to advise", err=True)


@openslo_app.command("validate")
def openslo_validate(
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE...", help="YAML or JSON.")] = None,
    mode: Annotated[str, typer.Option(help="strict | lenient: unknown fields are errors, or warnings.")] = "strict",
    output: Annotated[str, typer.Option("--format", help="text | json")] = "text",
    jsonl: Annotated[
        Path | None, typer.Option(help='Lines {"object": {...}}; a line {"valid", "stage", "errors"} for each, exit 0.')
    ] = None,
) -> None:
    """Check OpenSLO v1 documents of any kind; needs no server. Exit 1 when one is invalid."""
    import json

    from services.slo.exchange.openslo_file import as_json, check_file, check_lines

    known_mode = _one_of("--mode", mode, "strict", "lenient")
    if jsonl is not None:
        with jsonl.open("rb") as lines:
            for answer in check_lines(lines, known_mode):
                typer.echo(json.dumps(answer))
        return
    if not files:
        message = "name the files to check, or --jsonl FILE"
        raise CliError(message, USAGE)
    checked = [each for file in files for each in check_file(file, known_mode)]
    if _one_of("--format", output, "text", "json") == "json":
        typer.echo(as_json(checked))
    else:
        for line in (line for each in checked for line in each.lines()):
            typer.echo(line)
        invalid = sum(not each.valid for each in checked)
        typer.echo(f"{len(checked)} checked, {invalid} invalid" if invalid else f"{len(checked)} checked, all valid")
    if not all(each.valid for each in checked):
        raise typer.Exit(NO)


def _operate(  # noqa: PLR0913  each is a part of one operation
    operation: str,
    arguments: dict[str, Any],
    data_dir: Path | None,
    as_json: bool,  # noqa: FBT001  a command line's flag
    service: str,
    *,
    text: Callable[[dict[str, Any]], str] | None = None,
    bad: Yes = lambda _: False,
    begins: bool = False,
) -> None:
    """Carry out an operation on a data directory or a database, show it, and end with its answer."""
    from services.cli.access import operation_lines
    from services.cli.show import as_line, show

    lines: AsyncIterator[dict[str, Any]] = operation_lines(operation, arguments, data_dir, service, begins=begins)
    summaries = _run(show(lines, as_json=as_json, text=text or as_line))
    if any(map(bad, summaries)):
        raise typer.Exit(NO)


def _run(work: "Coroutine[Any, Any, Any]") -> Any:  # noqa: ANN401  whatever the command's work gives
    import uvloop  # here, so that `--help` does not load it

    return uvloop.run(work)


def _one_of(option: str, value: str, *known: Any) -> Any:  # noqa: ANN401  one of *known*
    if value not in known:
        message = f"{option} is {value!r}; use {' or '.join(known)}"
        raise CliError(message, USAGE)
    return value


def _known(service: str) -> str:
    if service not in SERVICES:
        message = f"no service {service!r}; there are {', '.join(SERVICES)}"
        raise CliError(message, USAGE)
    return service


def _api_key(given: str, data_dir: Path | None) -> str:
    from services.cli.data_directory import admin_key

    return given or admin_key(data_dir)


def _event_line(item: dict[str, Any]) -> str:
    return f"{item['recorded_at']}  {item['service']:<9} {item['position']:>8}  {item['type']}  {item['stream']}"


if __name__ == "__main__":
    main()
