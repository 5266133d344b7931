"""What goes over the wire to a source of measurements, and what a bad one on the other end cannot do."""

import asyncio
import json
import ssl
import subprocess
from base64 import b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from urllib.parse import parse_qs

import pytest

from deploy.local.server import free_port
from services.slo.domain.source.commands import Auth, Settings, Tls
from services.slo.prometheus import (
    Indicator,
    Progress,
    Query,
    Secrets,
    SourceError,
    Span,
    read_on,
)
from services.slo.prometheus.client import PrometheusSource, open_source

FIRST = 28_000_000
ONE = Span(FIRST, FIRST + 1)
QUERY = Query("sum(handled)", "ratioMetric.good")
INDICATOR = Indicator("good", (QUERY, QUERY))


@dataclass
class Request:
    line: str
    headers: dict[str, str]
    form: dict[str, str]

    @property
    def span(self) -> Span:
        return Span(int(self.form["start"]) // 60 - 1, int(self.form["end"]) // 60)


Answer = bytes | Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    """Answers requests in turn, the last answer again and again."""

    answers: list[Answer]
    requests: list[Request] = field(default_factory=list[Request])
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await _head(reader):
                line, *rest = head.decode().splitlines()
                headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in rest if one)}
                body = (await reader.readexactly(int(headers.get("content-length", 0)))).decode()
                request = Request(line, headers, {name: values[0] for name, values in parse_qs(body).items()})
                self.requests.append(request)
                answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
                if callable(answer):
                    await answer(request, writer)
                else:
                    writer.write(answer)
                    await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def json_error(kind: str, text: str) -> bytes:
    return json.dumps({"status": "error", "errorType": kind, "error": text}).encode()


def ones(span: Span) -> bytes:
    """Every minute holds one event."""
    pairs = [[(minute + 1) * 60, "1"] for minute in range(span.first, span.end)]
    result = [{"metric": {}, "values": pairs}]
    body = {"status": "success", "data": {"resultType": "matrix", "result": result}}
    return http("200 OK", json.dumps(body).encode(), "Content-Type: application/json")


async def counts(request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(ones(request.span))
    await writer.drain()


@asynccontextmanager
async def serving(*answers: Answer, tls: ssl.SSLContext | None = None) -> AsyncGenerator[Server]:
    server = Server(list(answers))
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.url = f"{'https' if tls else 'http'}://localhost:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    (tmp_path / "token").write_text("s3cr3t\n")
    return Secrets(tmp_path)


async def refused(settings: Settings, secrets: Secrets) -> SourceError:
    with pytest.raises(SourceError) as refusal:
        async with open_source(settings, secrets) as source:
            await source.values(QUERY, ONE)
    assert "s3cr3t" not in str(refusal.value)
    return refusal.value


async def test_a_span_is_asked_for_by_the_ends_of_its_minutes(secrets: Secrets) -> None:
    async with serving(counts) as server, open_source(Settings("prometheus", f"{server.url}/base/"), secrets) as source:
        got = await source.read(INDICATOR, Span(FIRST, FIRST + 3))
    assert [tuple(bucket) for bucket in got.buckets] == [(FIRST + at, 1, 1) for at in range(3)]
    assert server.requests[0].line == "POST /base/api/v1/query_range HTTP/1.1"
    assert server.requests[0].form == {
        "query": "sum(handled)",
        "start": str((FIRST + 1) * 60),
        "end": str((FIRST + 3) * 60),
        "step": "60",
        "timeout": "30s",
    }


async def test_a_token_or_a_password_comes_from_the_named_secret(secrets: Secrets) -> None:
    for auth, header in (
        (Auth("bearer", secret="token"), "Bearer s3cr3t"),
        (Auth("basic", "ann", "token"), f"Basic {b64encode(b'ann:s3cr3t').decode()}"),
    ):
        async with serving(counts) as server:
            settings = Settings("prometheus", server.url, auth, insecure=True)
            async with open_source(settings, secrets) as source:
                await source.values(QUERY, ONE)
        assert server.requests[0].headers["authorization"] == header


@pytest.mark.parametrize("name", ["absent", "../token", "empty", "binary", "lines"])
async def test_a_secret_that_is_no_line_of_text_is_refused(secrets: Secrets, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\x00")
    (tmp_path / "lines").write_text("s3cr3t\r\nX-Admin: yes\n")
    error = await refused(Settings("prometheus", "http://localhost:1", Auth("bearer", secret=name)), secrets)
    assert (error.fault.code, error.fault.place) == ("secret-missing", "auth.secret")


async def test_a_redirect_is_refused_and_nothing_is_sent_there(secrets: Secrets) -> None:
    async with serving(counts) as elsewhere:
        async with serving(http("307 Temporary Redirect", b"", f"Location: {elsewhere.url}")) as server:
            error = await refused(
                Settings("prometheus", server.url, Auth("bearer", secret="token"), insecure=True), secrets
            )
        assert (error.fault.code, elsewhere.requests) == ("source-redirects", [])
        assert elsewhere.url in error.fault.detail


async def test_a_page_in_front_of_the_source_is_named(secrets: Secrets) -> None:
    page = http("200 OK", b"<!doctype html><title>Sign in</title>", "Content-Type: text/html")
    async with serving(page) as server:
        error = await refused(Settings("prometheus", server.url), secrets)
    assert error.fault.code == "source-not-prometheus"
    assert "text/html" in error.fault.detail
    assert "<!doctype html>" in error.fault.detail


async def test_what_passes_is_asked_again_when_the_server_says(secrets: Secrets) -> None:
    busy = http("503 Service Unavailable", b"", "Retry-After: 0")
    async with (
        serving(busy, http("429 Too Many Requests"), counts) as server,
        open_source(Settings("prometheus", server.url), secrets) as source,
    ):
        assert await source.values(QUERY, ONE) == {FIRST: "1"}
    assert len(server.requests) == 3


async def test_a_source_that_stays_unavailable_is_left_after_three_times(secrets: Secrets) -> None:
    async with serving(http("503 Service Unavailable", b"", "Retry-After: 0")) as server:
        error = await refused(Settings("prometheus", server.url), secrets)
    assert (error.fault.code, len(server.requests)) == ("source-unavailable", 3)


async def test_a_refused_query_is_not_asked_again(secrets: Secrets) -> None:
    async with serving(http("422 Unprocessable Entity", json_error("execution", "many-to-many"))) as server:
        error = await refused(Settings("prometheus", server.url), secrets)
    assert (error.fault.code, error.fault.place, len(server.requests)) == ("query-refused", QUERY.place, 1)
    assert "execution: many-to-many" in error.fault.detail


async def test_a_source_that_is_not_there_is_unreachable(secrets: Secrets) -> None:
    error = await refused(Settings("prometheus", f"http://127.0.0.1:{free_port()}"), secrets)
    assert (error.fault.code, error.fault.place) == ("source-unreachable", "address")


async def test_a_connection_that_is_cut_is_opened_again(secrets: Secrets) -> None:
    async def cut(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        writer.close()
        await writer.wait_closed()

    async with serving(cut, counts) as server, open_source(Settings("prometheus", server.url), secrets) as source:
        assert await source.values(QUERY, ONE) == {FIRST: "1"}


async def test_an_answer_without_end_is_cut_off(secrets: Secrets) -> None:
    async def flood(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
            await writer.drain()

    async with serving(flood) as server:
        error = await refused(Settings("prometheus", server.url), secrets)
    assert (error.fault.code, len(server.requests)) == ("answer-too-large", 1)


async def test_an_answer_that_trickles_is_cut_off_in_time(secrets: Secrets) -> None:
    async def trickle(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    started = monotonic()
    async with serving(trickle) as server:
        error = await refused(Settings("prometheus", server.url, timeout_s=1), secrets)
    assert (error.fault.code, error.fault.place) == ("source-timeout", QUERY.place)
    assert monotonic() - started < 5


async def test_no_more_queries_run_at_once_than_the_source_allows(secrets: Secrets) -> None:
    running: list[Request] = []
    most: list[int] = []

    async def slow(request: Request, writer: asyncio.StreamWriter) -> None:
        running.append(request)
        most.append(len(running))
        await asyncio.sleep(0.02)
        running.remove(request)
        await counts(request, writer)

    async with serving(slow) as server:
        settings = Settings("prometheus", server.url, concurrency=2)
        async with open_source(settings, secrets) as source:
            await asyncio.gather(*(source.values(QUERY, ONE) for _ in range(8)))
    assert (max(most), len(most)) == (2, 8)


async def test_what_is_too_much_at_once_is_asked_for_in_halves(secrets: Secrets) -> None:
    async def at_most_an_hour(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.span.end - request.span.first <= 60:
            await counts(request, writer)
        else:
            error = json_error("execution", "query processing would load too many samples into memory")
            writer.write(http("422 Unprocessable Entity", error))

    async with serving(at_most_an_hour) as server:
        settings = Settings("prometheus", server.url)
        async with open_source(settings, secrets) as source:
            minutes = [bucket.minute for bucket in await _read_all(source, Progress(FIRST, FIRST + 200, FIRST))]
    assert minutes == list(range(FIRST, FIRST + 200))


async def test_what_is_too_much_in_any_part_is_refused(secrets: Secrets) -> None:
    error = http("422 Unprocessable Entity", json_error("execution", "too many samples"))
    async with serving(error) as server, open_source(Settings("prometheus", server.url), secrets) as source:
        with pytest.raises(SourceError, match="query-too-heavy"):
            await _read_all(source, Progress(FIRST, FIRST + 1440, FIRST))
    assert 5 <= len(server.requests) <= 10


async def test_more_minutes_than_prometheus_gives_are_not_asked_for(secrets: Secrets) -> None:
    async with open_source(Settings("prometheus", "http://localhost:1"), secrets) as source:
        with pytest.raises(ValueError, match="11000 minutes"):
            await source.read(INDICATOR, Span(FIRST, FIRST + 11_001))


async def test_a_minute_that_is_not_over_there_is_not_read(secrets: Secrets) -> None:
    before = datetime.fromtimestamp((FIRST + 1) * 60 - 1, UTC).strftime("Date: %a, %d %b %Y %H:%M:%S GMT")
    answer = http("200 OK", ones(ONE).partition(b"\r\n\r\n")[2], before)
    async with serving(answer) as server:
        error = await refused(Settings("prometheus", server.url), secrets)
    assert (error.fault.code, error.fault.place) == ("source-clock-behind", "address")


async def _read_all(source: PrometheusSource, progress: Progress) -> list[object]:
    return [bucket async for step in read_on(source, INDICATOR, progress) for bucket in step.reading.buckets]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `cert.pem` for localhost, its own authority, `key.pem`, and `locked.pem` with a passphrase."""
    folder = tmp_path_factory.mktemp("tls")
    own = "-nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem"
    for command in (f"req -x509 -newkey rsa:2048 {own}", "rsa -in key.pem -aes256 -passout pass:x -out locked.pem"):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)  # noqa: S603, S607  ours
    return folder


def context(certificate: Path, *, asks_client: bool = False) -> ssl.SSLContext:
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    if asks_client:
        made.load_verify_locations(certificate / "cert.pem")
        made.verify_mode = ssl.CERT_REQUIRED
    return made


async def test_a_server_that_nobody_vouches_for_is_not_asked(certificate: Path) -> None:
    async with serving(counts, tls=context(certificate)) as server:
        error = await refused(Settings("prometheus", server.url), Secrets(certificate))
    assert (error.fault.code, error.fault.place, server.requests) == ("source-untrusted", "tls", [])


@pytest.mark.parametrize("change", [{"tls": Tls(ca="cert.pem")}, {"insecure": True}], ids=["authority", "insecure"])
async def test_a_server_is_trusted_by_its_authority_or_on_demand(certificate: Path, change: dict[str, object]) -> None:
    async with serving(counts, tls=context(certificate)) as server:
        settings = replace(Settings("prometheus", server.url), **change)  # pyright: ignore[reportArgumentType]  fields
        async with open_source(settings, Secrets(certificate)) as source:
            assert await source.values(QUERY, ONE) == {FIRST: "1"}


async def test_an_authority_does_not_vouch_for_another_host(certificate: Path) -> None:
    async with serving(counts, tls=context(certificate)) as server:
        address = server.url.replace("localhost", "127.0.0.1")
        error = await refused(Settings("prometheus", address, tls=Tls(ca="cert.pem")), Secrets(certificate))
    assert error.fault.code == "source-untrusted"


async def test_a_server_may_ask_for_the_clients_certificate(certificate: Path) -> None:
    async with serving(counts, tls=context(certificate, asks_client=True)) as server:
        settings = Settings("prometheus", server.url, tls=Tls("cert.pem", "cert.pem", "key.pem"))
        async with open_source(settings, Secrets(certificate)) as source:
            assert await source.values(QUERY, ONE) == {FIRST: "1"}


@pytest.mark.parametrize(
    ("tls", "code"),
    [
        (Tls(ca="absent.pem"), "secret-missing"),
        (Tls(ca="key.pem"), "source-tls-settings"),
        (Tls(certificate="cert.pem", key="cert.pem"), "source-tls-settings"),
        (Tls(certificate="cert.pem", key="locked.pem"), "source-tls-settings"),
    ],
)
async def test_files_that_do_not_fit_are_refused(certificate: Path, tls: Tls, code: str) -> None:
    error = await refused(Settings("prometheus", "https://localhost:1", tls=tls), Secrets(certificate))
    assert error.fault.code == code
    assert error.fault.place.startswith("tls")
