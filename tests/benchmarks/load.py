"""A load generator in a process of its own: ready-made requests over a bounded number of connections.

Written by hand because a client library takes more of a core than the server it should measure.
"""

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

import msgspec
import uvloop

_ROOT = Path(__file__).parents[2]
_DEADLINE_S = 120


class Job(msgspec.Struct):
    """What to send: whole HTTP/1.1 requests, at most *per_second* if that is not 0."""

    port: int
    clients: int
    requests: list[bytes]
    per_second: float = 0


class Report(msgspec.Struct):
    """How it went; latencies in the order of the answers."""

    seconds: float
    latencies_s: list[float]
    statuses: dict[int, int]
    first_refusal: str = ""

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return len(self.latencies_s) / self.seconds

    def p99_ms(self) -> float:
        """The latency that one in a hundred exceeds."""
        return quantiles(self.latencies_s, n=100)[98] * 1000


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """One HTTP/1.1 request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    if body:
        lines.append("Content-Type: application/json")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def run(port: int, requests: Sequence[bytes], *, clients: int = 64, per_second: float = 0) -> Report:
    """Send *requests* from another process; its report.

    Raises:
        RuntimeError: An answer was no success, or the load generator failed.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.benchmarks.load",
        cwd=_ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(_DEADLINE_S):
        out, _ = await process.communicate(msgspec.msgpack.encode(Job(port, clients, list(requests), per_second)))
    report = msgspec.msgpack.decode(out, type=Report)
    if any(status >= 300 for status in report.statuses):
        message = f"answers that were no success: {report.statuses}, the first: {report.first_refusal}"
        raise RuntimeError(message)
    return report


@dataclass
class _Tally:
    latencies_s: list[float]
    statuses: dict[int, int]
    first_refusal: str = ""


async def _client(port: int, requests: Iterator[bytes], tally: _Tally, pace: Iterator[float] | None) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    clock = time.perf_counter
    for message in requests:
        if pace is not None:
            await asyncio.sleep(next(pace) - clock())
        started = clock()
        writer.write(message)
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        body = await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        tally.latencies_s.append(clock() - started)
        tally.statuses[status] = tally.statuses.get(status, 0) + 1
        if status >= 300 and not tally.first_refusal:
            tally.first_refusal = body.decode()
    writer.close()


async def _carry_out(job: Job) -> Report:
    tally, requests = _Tally([], {}), iter(job.requests)
    started = time.perf_counter()
    pace = (started + n / job.per_second for n in range(len(job.requests) + job.clients)) if job.per_second else None
    async with asyncio.TaskGroup() as group:
        for _ in range(job.clients):
            group.create_task(_client(job.port, requests, tally, pace))
    return Report(time.perf_counter() - started, tally.latencies_s, tally.statuses, tally.first_refusal)


if __name__ == "__main__":
    done = uvloop.run(_carry_out(msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Job)))
    sys.stdout.buffer.write(msgspec.msgpack.encode(done))
