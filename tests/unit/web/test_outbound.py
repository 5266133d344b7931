import socket
from typing import Any

import pytest

from libs.web.outbound import OutboundError, check_url, is_allowed, open_outbound


@pytest.mark.parametrize(
    ("address", "public", "private"),
    [
        ("8.8.8.8", True, True),
        ("2001:4860:4860::8888", True, True),
        ("127.0.0.1", False, True),
        ("10.1.2.3", False, True),
        ("::1", False, True),
        ("fd00::1", False, True),
        ("::ffff:10.0.0.1", False, True),  # an IPv4 address in IPv6's clothes
        ("64:ff9b::7f00:1", False, True),
        ("2002:a00:1::", False, True),
        ("169.254.169.254", False, False),  # metadata of clouds
        ("fe80::1%eth0", False, False),
        ("0.0.0.0", False, False),  # noqa: S104  it is refused
        ("224.0.0.1", False, False),
    ],
)
def test_private_addresses_are_asked_only_where_that_is_allowed(address: str, *, public: bool, private: bool) -> None:
    assert (is_allowed(address), is_allowed(address, private=True)) == (public, private)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example",
        "http://",
        "http://127.0.0.1/x",
        "http://[::1]/",
        "http://u:p@a.example",
        "nonsense",
        "http://a:x",
        "http://2130706433/",  # 127.0.0.1 in one number
        "http://0177.0.0.1/",
        "http://\u2460\u2461\u2466.0.0.1/",  # digits in circles, which clients read as 127.0.0.1
        "http://127\u30020\u30020\u30021/",  # ideographic full stops
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_sent(url: str) -> None:
    assert check_url(url)


def test_what_may_be_asked_is_not_refused() -> None:
    assert check_url("https://hooks.example.com/x") == ""
    assert check_url("http://127.0.0.1:8080/x", private=True) == ""


@pytest.mark.parametrize("found", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"]])
async def test_a_name_that_leads_inside_is_refused_whatever_else_it_leads_to(found: list[str]) -> None:
    async def look_up(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    async with open_outbound(1, look_up=look_up) as outbound:
        with pytest.raises(OutboundError, match="private network") as refusal:
            await outbound.post("http://rebinding.example/", b"", {})

    assert refusal.value.refused


async def test_a_name_that_leads_nowhere_may_lead_somewhere_later() -> None:
    async def look_up(host: str, port: int, **_: Any) -> list[Any]:
        raise socket.gaierror

    async with open_outbound(1, look_up=look_up) as outbound:
        with pytest.raises(OutboundError) as failure:
            await outbound.post("http://nowhere.example/", b"", {})

    assert not failure.value.refused
