"""Who there is: teams, and services with the days on which they came into each phase."""

from typing import Final, Literal, NamedTuple

from services.lifecycle.domain.phases import Phase

DAYS: Final = 730  # of history; day 0 is the first, and the day after the last is today

DESIGN, DEVELOPMENT, LIMITED, GENERAL, DEPRECATED, ABANDONED, UNSUPPORTED = Phase


class TeamOf(NamedTuple):
    """A team.

    Args:
        name: Its label.
        kind: Development or SRE.
        display_name: What people call it.
        people: Its members; the first of them leads it.
        mission: What it is for.
        sites: Name, time zone and people of each.
        product: Who speaks for its product.
    """

    name: str
    kind: Literal["dev", "sre"]
    display_name: str
    people: tuple[str, ...]
    mission: str
    sites: tuple[tuple[str, str, int], ...]
    product: str = ""

    @property
    def lead(self) -> str:
        """Who leads it."""
        return self.people[0]


class ServiceOf(NamedTuple):
    """A service.

    Args:
        name: Its label.
        team: Who owns it.
        tier: 1 is the most critical.
        product: What it is a part of.
        stack: What it is built of.
        way: The day on which it came into each phase; the first is that of its registration.
        target: Of its SLO; 0 for none.
        peak: Requests in its busiest minute, today.
        bad_ratio: Share of requests that fail on an ordinary day.
        releases: To production in a week, while it is in use.
        hard: What it cannot do without.
        soft: What it does less without.
    """

    name: str
    team: str
    tier: int
    product: str
    stack: tuple[str, ...]
    way: tuple[tuple[int, Phase], ...]
    target: float = 0
    peak: int = 0
    bad_ratio: float = 0
    releases: float = 0
    hard: tuple[str, ...] = ()
    soft: tuple[str, ...] = ()

    def phase_on(self, day: int) -> Phase | None:
        """Where it stood on *day*; None before it was registered."""
        return next((phase for since, phase in reversed(self.way) if since <= day), None)

    def in_use(self, day: int) -> bool:
        """Whether it had users then."""
        return self.phase_on(day) in {LIMITED, GENERAL, DEPRECATED, ABANDONED}

    def day_of(self, phase: Phase) -> int:
        """The day on which it came into *phase*; DAYS if it never did."""
        return next((day for day, each in self.way if each is phase), DAYS)


_BERLIN, _DUBLIN, _TORONTO = "Europe/Berlin", "Europe/Dublin", "America/Toronto"
TEAMS: Final = (
    TeamOf(
        "storefront",
        "dev",
        "Storefront",
        ("ana", "bela", "carl", "dora", "emil", "fay"),
        "Everything a customer sees before paying",
        (("berlin", _BERLIN, 6),),
        "petra",
    ),
    TeamOf(
        "payments",
        "dev",
        "Payments",
        ("gita", "hugo", "ines", "jan", "kim"),
        "Money in, money out, and the books",
        (("dublin", _DUBLIN, 5),),
        "quinn",
    ),
    TeamOf(
        "ares",
        "dev",
        "Ares",
        ("lara", "milo", "nora", "otto", "pia"),
        "Fights abuse for every product, in real time",
        (("toronto", _TORONTO, 5),),
        "rosa",
    ),
    TeamOf(
        "data-analysis",
        "dev",
        "Data Analysis",
        ("rana", "samir", "tess", "ugo"),
        "Turns logs into reports that people decide by",
        (("berlin", _BERLIN, 4),),
        "vera",
    ),
    TeamOf(
        "mobile",
        "dev",
        "Mobile",
        ("vito", "wanda", "xenia", "yuri"),
        "The apps, and what they talk to",
        (("toronto", _TORONTO, 4),),
        "zoe",
    ),
    TeamOf(
        "identity",
        "dev",
        "Identity",
        ("aron", "bina", "cleo", "dag"),
        "Who somebody is, and what they may do",
        (("dublin", _DUBLIN, 4),),
        "elif",
    ),
    TeamOf(
        "site-reliability",
        "sre",
        "Site Reliability",
        (
            *("falk", "greta", "hana", "ivo", "jule", "kaya"),
            *("levi", "mara", "nils", "olga", "paul", "ria"),
        ),
        "The shop and its guards stay within their objectives",
        (("berlin", _BERLIN, 6), ("toronto", _TORONTO, 6)),
    ),
    TeamOf(
        "data-reliability",
        "sre",
        "Data Reliability",
        ("sven", "tara", "uma", "veit", "wim", "xaver", "yara", "zeno"),
        "Data arrives complete, in time, and once",
        (("dublin", _DUBLIN, 8),),
    ),
)
TEAM: Final = {team.name: team for team in TEAMS}
SRE_OF: Final = {
    team.name: "data-reliability" if team.name == "data-analysis" else "site-reliability" for team in TEAMS
}

_IMPORTED: Final = ((0, GENERAL),)
SERVICES: Final = (
    ServiceOf("login", "identity", 1, "identity", ("go", "postgresql"), _IMPORTED, 0.999, 700, 0.0003, 2),
    ServiceOf(
        "sessions", "identity", 2, "identity", ("go", "redis"), _IMPORTED, 0.995, 1500, 0.001, 1.5, hard=("login",)
    ),
    ServiceOf("payment-gateway", "payments", 1, "money", ("java", "postgresql"), _IMPORTED, 0.999, 400, 0.0002, 2),
    ServiceOf(
        *("ledger", "payments", 1, "money", ("java", "postgresql"), _IMPORTED, 0.999, 300, 0.0001, 1),
        hard=("payment-gateway",),
    ),
    ServiceOf(
        *("refunds", "payments", 2, "money", ("java",)),
        ((210, DESIGN), (300, DEVELOPMENT), (610, LIMITED)),
        *(0.99, 40, 0.002, 2.5),
        hard=("ledger",),
    ),
    ServiceOf(
        *("invoice-printer", "payments", 4, "money", ("perl",)),
        ((0, GENERAL), (380, DEPRECATED), (640, ABANDONED)),
        releases=0.1,
        soft=("ledger",),
    ),
    ServiceOf(
        *("checkout-api", "storefront", 1, "shop", ("python", "postgresql")),
        ((12, DESIGN), (48, DEVELOPMENT), (150, LIMITED), (260, GENERAL)),
        *(0.995, 900, 0.0008, 3),
        hard=("payment-gateway", "sessions"),
    ),
    ServiceOf(
        *("cart", "storefront", 1, "shop", ("python", "redis"), _IMPORTED, 0.995, 1200, 0.001, 2.5), soft=("sessions",)
    ),
    ServiceOf(
        *("product-search", "storefront", 2, "shop", ("java", "opensearch")),
        ((0, GENERAL), (505, LIMITED), (590, GENERAL)),
        *(0.99, 2500, 0.004, 3),
    ),
    ServiceOf(
        *("recommendations", "storefront", 3, "shop", ("python",)),
        ((330, DESIGN), (390, DEVELOPMENT), (560, LIMITED)),
        *(0.98, 600, 0.006, 2),
        soft=("product-search",),
    ),
    ServiceOf("reviews", "storefront", 3, "shop", ("ruby", "postgresql"), _IMPORTED, 0, 0, 0, 0.7),
    ServiceOf("legacy-catalogue", "storefront", 4, "shop", ("php",), ((0, GENERAL), (455, DEPRECATED)), releases=0.2),
    ServiceOf("abuse-signals", "ares", 1, "guard", ("java", "kafka"), _IMPORTED, 0.999, 1800, 0.0003, 1),
    ServiceOf(
        *("abuse-verdicts", "ares", 2, "guard", ("java", "kafka"), _IMPORTED, 0.995, 1600, 0.0012, 1),
        hard=("abuse-signals",),
    ),
    ServiceOf(
        *("abuse-console", "ares", 3, "guard", ("typescript",)),
        ((95, DESIGN), (130, DEVELOPMENT), (250, LIMITED), (340, GENERAL)),
        *(0.99, 90, 0.002, 2),
        hard=("abuse-verdicts",),
        soft=("login",),
    ),
    ServiceOf(
        *("batch-pipeline", "data-analysis", 2, "insight", ("c++", "hadoop")),
        ((0, GENERAL), (432, DEPRECATED)),
        *(0.98, 120, 0.004, 3),
    ),
    ServiceOf(
        *("stream-pipeline", "data-analysis", 1, "insight", ("java", "kafka")),
        ((118, DESIGN), (178, DEVELOPMENT), (330, LIMITED), (500, GENERAL)),
        *(0.995, 450, 0.0012, 3),
        soft=("batch-pipeline",),
    ),
    ServiceOf(
        *("report-builder", "data-analysis", 3, "insight", ("python",), ((540, DESIGN), (610, DEVELOPMENT))),
        hard=("stream-pipeline",),
    ),
    ServiceOf(
        *("csv-exporter", "data-analysis", 4, "insight", ("perl",)),
        ((0, DEPRECATED), (200, ABANDONED), (420, UNSUPPORTED)),
        releases=0.1,
        soft=("batch-pipeline",),
    ),
    ServiceOf("push-notifications", "mobile", 2, "apps", ("elixir",), _IMPORTED, releases=1.5, hard=("sessions",)),
    ServiceOf(
        *("mobile-gateway", "mobile", 2, "apps", ("go",), ((560, DESIGN), (655, DEVELOPMENT))), hard=("sessions",)
    ),
    ServiceOf("app-config", "mobile", 3, "apps", ("go",), ((688, DESIGN),)),
    ServiceOf("password-vault", "identity", 1, "identity", ("rust",), ((640, DESIGN),), hard=("login",)),
    ServiceOf("captcha", "identity", 4, "identity", ("go",), ((60, DESIGN), (105, DEVELOPMENT), (190, UNSUPPORTED))),
)
SERVICE: Final = {service.name: service for service in SERVICES}
