"""What a pack says of what may still happen: capacity, risks and waivers."""

from datetime import timedelta

from services.lifecycle.contract import ENGAGEMENT
from services.lifecycle.domain.architecture.facts import ArchitectureFacts, OpenFinding
from services.lifecycle.domain.capacity.facts import Cover
from services.lifecycle.domain.engagement.events import EngagementRequested
from services.lifecycle.domain.engagement.measures import Seen
from services.lifecycle.domain.facts import InForce
from services.lifecycle.domain.gathering.pack import Prospects, pack
from services.lifecycle.domain.review_template.checklist import Severity
from services.lifecycle.domain.risk_register.events import Promise
from services.lifecycle.domain.risk_register.facts import RiskFact, RiskFacts
from tests.fixtures.lifecycle import NOW

STATE = ENGAGEMENT.fold(
    None,
    [
        EngagementRequested(
            engagement="e1", by="ana", at=NOW, sre_team="sre", dev_team="dev", services=("api", "web"), model="full"
        )
    ],
)
COST = (100.0, 10.0, None, 40.0, 30.0, 20.0, 5.0)  # bad minutes a year of seven risks
RISKS = tuple(RiskFact(f"k{n}", f"risk {n}", "accepted" if n == 0 else "assessed", c) for n, c in enumerate(COST))
NO_RISKS = RiskFacts((), None)
WAIVER = InForce("w1", "load_test", NOW + timedelta(days=9), "cy", "bo", "half the traffic is shed")


def section(title: str, **known: Prospects) -> list[tuple[str, str, str, str]]:
    assert STATE is not None
    seen = Seen(STATE.services, NOW - timedelta(days=92), NOW)
    (found,) = (each for each in pack(STATE, seen, (), (), (), known) if each.title == title)
    return [(line.label, line.value, line.url, line.note) for line in found.lines]


def test_capacity_that_nobody_told_of_is_unknown_and_what_is_known_says_until_when() -> None:
    covered = Prospects(RiskFacts((), None), cover=Cover("covered", "enough until 2027-05-20 with N+2"))
    assert section("Capacity", api=covered, web=Prospects(RiskFacts((), None))) == [
        ("api", "covered", "/v1/services/api/capacity", "enough until 2027-05-20 with N+2"),
        ("web", "unknown", "/v1/services/web/capacity", "nobody said anything of its capacity"),
    ]


def test_risks_are_counted_and_the_largest_five_are_named() -> None:
    known = Prospects(RiskFacts(RISKS, Promise("availability", 0.999, 1)))

    count, *named = section("Risks", api=known)

    note = "19% of the budget of availability is accepted, 1 not assessed"
    assert count == ("api", "7", "/v1/services/api/risk-budget", note)
    assert [(label, note) for label, _, _, note in named] == [
        (f"risk {n}", f"{COST[n]:.0f} bad minutes a year") for n in (0, 3, 4, 5, 1)
    ]
    assert named[0][1:3] == ("accepted", "/v1/risks/k0")


def test_silence_of_a_dead_feed_is_no_good_news() -> None:
    assert STATE is not None
    quiet = Seen(STATE.services, NOW - timedelta(days=92), NOW, silent=True)
    found = {each.title: [line.value for line in each.lines] for each in pack(STATE, quiet, (), (), (), {})}
    assert (found["Incidents"], found["Actions"]) == (["unknown", "unknown"], ["unknown"])


def test_a_waiver_says_until_when_and_who_bears_the_risk() -> None:
    assert section("Waivers", api=Prospects(RiskFacts((), None), (WAIVER,))) == [
        ("api: load_test", "until 2026-11-30", "/v1/waivers/w1", "half the traffic is shed; cy bears it")
    ]


def test_open_findings_of_the_architecture_are_named_the_worst_first() -> None:
    def open_finding(name: str, severity: Severity, days: int) -> OpenFinding:
        return OpenFinding("e", name, "", f"finding {name}", severity, "in_progress", NOW - timedelta(days=days))

    found = (open_finding("f1", "advisory", 9), open_finding("f2", "blocking", 3))
    facts = ArchitectureFacts(NOW - timedelta(days=30), "r1", found[1:], (), findings=4, unsettled=found)

    lines = section("Architecture", api=Prospects(RiskFacts((), None), architecture=facts), web=Prospects(NO_RISKS))

    url = "/v1/services/api/architecture-findings"
    assert lines == [
        ("api", "2 open", url, f"both sides looked at it on {(NOW - timedelta(days=30)).date()}"),
        ("finding f2", "in progress", f"{url}/f2", f"blocking, since {(NOW - timedelta(days=3)).date()}"),
        ("finding f1", "in progress", f"{url}/f1", f"advisory, since {(NOW - timedelta(days=9)).date()}"),
        ("web", "unknown", "/v1/services/web/architecture-findings", "nobody has looked at its architecture"),
    ]
