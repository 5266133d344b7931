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
    """What to send.

    Args:
        port: On loopback.
        clients: Connections.
        requests: Whole HTTP/1.1 requests.
        per_second: At most so many; 0 for as many as are answered.
        reads: Per request one that is sent behind its answer, with the answer's Consistency-Token; its latency is
            measured instead.
    """

    port: int
    clients: int
    requests: list[bytes]
    per_second: float = 0
    reads: list[bytes] = []


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


async def run(
    port: int, requests: Sequence[bytes], *, clients: int = 64, per_second: float = 0, reads: Sequence[bytes] = ()
) -> Report:
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
        out, _ = await process.communicate(
            msgspec.msgpack.encode(Job(port, clients, list(requests), per_second, list(reads)))
        )
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

    def count(self, head: bytes, body: bytes) -> None:
        status = int(head[9:12])
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status >= 300 and not self.first_refusal:
            self.first_refusal = body.decode()


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def ask(self, message: bytes) -> tuple[bytes, bytes]:
        """Head and body of the answer to *message*."""
        self._writer.write(message)
        head = await self._reader.readuntil(b"\r\n\r\n")
        return head, await self._reader.readexactly(int(_header(head, b"content-length")))

    def close(self) -> None:
        self._writer.close()


def _header(head: bytes, name: bytes) -> bytes:
    _, _, rest = head.lower().partition(b"\r\n" + name + b": ")
    start = len(head) - len(rest)
    return head[start:].partition(b"\r\n")[0]


async def _client(job: Job, numbers: Iterator[int], tally: _Tally, began: float) -> None:
    connection = _Connection(*await asyncio.open_connection("127.0.0.1", job.port))
    clock = time.perf_counter
    for number in numbers:
        if job.per_second:
            await asyncio.sleep(began + number / job.per_second - clock())
        started = clock()
        head, body = await connection.ask(job.requests[number])
        if job.reads:
            tally.count(head, body)
            token = b"Consistency-Token: " + _header(head, b"consistency-token") + b"\r\nPrefer: wait=10\r\n\r\n"
            started = clock()
            head, body = await connection.ask(job.reads[number].removesuffix(b"\r\n") + token)
        tally.latencies_s.append(clock() - started)
        tally.count(head, body)
    connection.close()


async def _carry_out(job: Job) -> Report:
    tally, numbers = _Tally([], {}), iter(range(len(job.requests)))
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(job.clients):
            group.create_task(_client(job, numbers, tally, began))
    return Report(time.perf_counter() - began, tally.latencies_s, tally.statuses, tally.first_refusal)


if __name__ == "__main__":
    done = uvloop.run(_carry_out(msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Job)))
    sys.stdout.buffer.write(msgspec.msgpack.encode(done))
