"""The engagements: Ares, the data analysis pipeline (SRE Workbook ch. 18), and the shop, which goes on."""

from typing import Final

from services.cli.demo.engagement import Engaged
from services.cli.demo.gatherings import Meeting
from services.cli.demo.organisation import DAYS
from services.cli.demo.world import World
from services.lifecycle.domain.engagement.charter import Definition, Goal, Priority

_QUARTER: Final = 88  # days; a few fewer than the longest time between two updates


def tell(world: World) -> None:
    """Every engagement, from request to end or until today."""
    for story in (_ares, _old_pipeline, _new_pipeline, _shop):
        engaged = story(world)
        engaged.tell()


def _ares(world: World) -> Engaged:
    """Developers are given infrastructure and skills, then the services; what followed is compared."""
    it = Engaged(world, "ares", "site-reliability", "ares", ("abuse-signals", "abuse-verdicts"), 36)
    it.begin(60, "embedded", "Every release waits for SRE; we want to run our services ourselves")
    it.agree(
        62,
        "priorities",
        Priority("dev", "Verdicts within the hour of a new kind of abuse", "users are not harmed", "five people"),
        Priority("sre", "Developers operate what they build", "SRE's time grows slower than services", "no new rota"),
    )
    it.agree(
        63,
        "goals",
        Goal("answers", "reliability", "Abuse signals stay within their objective", slo="abuse-signals-availability"),
        Goal(
            "lead-time", "velocity", "A change is in production within a day", metric="lead_time", target=24, unit="h"
        ),
    )
    it.agree(64, "definitions", Definition("lead_time", "commit to first production deployment, median", "CI"))
    it.usual_rules(65)
    it.working_agreements(66)
    it.look(70, 441)
    for day, title, owner, due, done in (
        (66, "Canaries that developers start and stop themselves", "lara", 150, 141),
        (66, "Dashboards and alerts made from a template for every service", "greta", 180, 176),
        (70, "Runbooks that developers have run themselves", "milo", 260, 252),
        (150, "Capacity is asked for by a form, and comes the same day", "nora", 330, 318),
    ):
        item = it.open(day, "milestone", title, owner=owner, due=world.at(due).date(), serves="lead-time")
        it.go(day + 12, item, "start")
        it.go(done, item, "complete", outcome="in use by both services")
    for day, title, people in (
        (92, "Error budgets, and what to do when one burns", ("lara", "milo", "nora", "otto")),
        (171, "On-call from the first page to the postmortem", ("milo", "nora", "otto", "pia")),
        (300, "Reading a distributed trace under pressure", ("lara", "otto", "pia")),
    ):
        item = it.open(day - 10, "training", title, "sre", owner="greta", due=world.at(day + 4).date())
        it.go(day, item, "hold", people=people, outcome="the next drill was led by developers")
    insight = it.open(
        *(205, "insight", "Half of our requests to SRE are for capacity", "dev"),
        text="Tickets of two quarters, counted by kind.",
        topic="bottleneck",
    )
    it.go(212, insight, "accept", owner="greta", due=world.at(330).date())
    it.go(318, insight, "conclude", outcome="a form and a quota took the place of tickets")
    for number, (production, product) in enumerate(
        (
            ("Two rotas, every release needs one of us.", "Four kinds of abuse wait for a release."),
            ("Canaries are theirs now; pages went down by a third.", "Three releases a week, from one."),
            ("Developers took the first half of all incidents alone.", "New detectors reach production in a day."),
            ("We were asked for help twice in a quarter.", "Six releases a week; nobody waits for SRE."),
        )
    ):
        it.meet(62 + _QUARTER * (number + 1) - 7, Meeting(production=production, product=product, keep=("drills",)))
    win = it.open(380, "win", "A quarter without a request for a release", "sre")
    it.go(383, win, "confirm", "dev")
    it.change_model(400, "consulting", "nothing is left that only SRE can do")
    given = it.hand_back(
        *(420, "developers run both services themselves"),
        ("the objective is missed in two months of a quarter", "operational work of Ares is above a third"),
    )
    it.end(given + 100, "dev_self_sufficient", "ninety days after: faster to production, and not less reliable")
    return it


def _old_pipeline(world: World) -> Engaged:
    """Warning signs: investment moves on, small changes slow down, usage grows, meetings are missed."""
    it = Engaged(world, "batch-pipeline", "data-reliability", "data-analysis", ("batch-pipeline",), 4)
    it.begin(25, "full", "Reports are late twice a month")
    it.agree(
        27,
        "priorities",
        Priority("dev", "Reports by seven in the morning", "decisions are made at eight", "four people"),
        Priority("sre", "No night is spent on restarting jobs", "people stay", "the framework is ten years old"),
    )
    it.agree(
        28,
        "goals",
        Goal("complete", "reliability", "Runs deliver in time", slo="batch-pipeline-availability"),
        Goal("small-changes", "velocity", "A small change takes two days", metric="lead_time", target=48, unit="h"),
    )
    it.usual_rules(30)
    it.working_agreements(31, "release", "incident")
    it.look(35, 475)
    it.meet(105, Meeting(production="Late runs are down to one a month.", product="Two more teams read our reports."))
    it.meet(
        190,
        Meeting(
            production="The same stage failed four times; we restart it by hand.",
            product="We are designing a streaming replacement; the old system gets bug fixes.",
            start=("write down what the old system must still do",),
        ),
    )
    for day, title, text, concluded in (
        (235, "Investment moves to the replacement", "One of four developers is left on the old pipeline.", 431),
        (262, "Small changes take a week", "Lead time has tripled since the spring.", 431),
        (290, "Usage still grows", "A third more input than a year ago, on a system that nobody extends.", 431),
        (335, "Nobody comes to our meetings", "Two quarterly updates were not held.", 431),
    ):
        insight = it.open(day, "insight", title, "sre", text=text, topic="warning_sign")
        it.go(day + 20, insight, "accept", "dev", owner="rana", due=world.at(450).date())
        it.go(concluded, insight, "conclude", "dev", outcome="one owner for the old system; SRE works on the new one")
    it.meet(
        385,
        Meeting(
            production="Operational work is above half of our time, most of it here.",
            product="All new work happens in the streaming pipeline.",
            decision="disengage",
            stop=("two teams that each believe the other answers for it",),
            start=("one team owns the old system until it ends", "SRE joins the design of the new one"),
        ),
    )
    given = it.hand_back(
        *(448, "one team owns the old system, SRE works on the new one"),
        ("the replacement is given up",),
    )
    it.end(given + 95, "importance_diminished", "the old system is small and quiet, and has one owner")
    return it


def _new_pipeline(world: World) -> Engaged:
    """SRE is there from the design on."""
    it = Engaged(world, "stream-pipeline", "data-reliability", "data-analysis", ("stream-pipeline",), 395)
    it.begin(425, "embedded", "Let us not build the same night shifts again")
    it.agree(
        428,
        "priorities",
        Priority("dev", "All reports from the new pipeline by spring", "one system to extend", "two systems to run"),
        Priority("sre", "It degrades, it does not stop", "reports that are late are worth nothing", "no new on-call"),
    )
    it.agree(429, "goals", Goal("fresh", "reliability", "Data is fresh", slo="stream-pipeline-availability"))
    it.usual_rules(431)
    it.working_agreements(433)
    it.look(440, DAYS)
    for day, title, owner, due, done in (
        (435, "Back-pressure instead of unbounded queues", "samir", 480, 474),
        (510, "Every report of the old pipeline has a twin", "tess", 700, 0),
        (620, "The old pipeline is read by nobody", "rana", DAYS + 60, 0),
    ):
        item = it.open(day, "milestone", title, owner=owner, due=world.at(due).date(), serves="fresh")
        it.go(day + 10, item, "start")
        if done:
            it.go(done, item, "complete", outcome="measured in a load test")
    for number, (production, product) in enumerate(
        (
            ("A load test at 1.7 times the peak; one queue grew without end.", "Half of the reports have a twin."),
            ("Generally available; no night was spent on it.", "Three large readers have moved."),
            ("One severe incident, found by an alert on the age of data.", "Four fifths of the reports have moved."),
        )
    ):
        it.meet(428 + _QUARTER * (number + 1) - 7, Meeting(production=production, product=product))
    it.goes_on()
    return it


def _shop(world: World) -> Engaged:
    """The engagement that most of SRE's time goes into."""
    services = ("checkout-api", "cart", "product-search")
    it = Engaged(world, "shop", "site-reliability", "storefront", services, 120)
    it.begin(145, "full", "Checkout is about to have its first users")
    it.agree(
        147,
        "priorities",
        Priority("dev", "A checkout in three steps", "fewer baskets are left behind", "the season begins in October"),
        Priority("sre", "Peaks are shed by importance", "a checkout is worth more than a search", "no new machines"),
    )
    it.agree(
        148,
        "goals",
        Goal("checkout", "reliability", "Customers can pay", slo="checkout-api-availability"),
        Goal("search", "reliability", "Customers find what they look for", slo="product-search-availability"),
        Goal("lead-time", "velocity", "A change takes a day and a half", metric="lead_time", target=36, unit="h"),
    )
    it.usual_rules(150)
    it.working_agreements(152, "release", "incident")
    it.working_agreements(DAYS - 5, acknowledged=("sre",))
    it.look(155, DAYS)
    for day, title, owner, due, done in (
        (160, "Roll-outs in four steps, taken back by themselves", "bela", 250, 244),
        (500, "Search sheds load by the importance of requests", "carl", 585, 579),
        (640, "The season's load test", "dora", 715, 712),
        (690, "Retire the legacy catalogue", "emil", DAYS + 40, 0),
    ):
        item = it.open(day, "milestone", title, owner=owner, due=world.at(due).date(), serves="checkout")
        it.go(day + 8, item, "start")
        if done:
            it.go(done, item, "complete", outcome="in production")
    insight = it.open(
        *(488, "insight", "Search drops everybody at the evening peak, not the least important", "sre"),
        topic="bottleneck",
    )
    it.go(491, insight, "accept", "dev", owner="carl", due=world.at(585).date())
    it.go(580, insight, "conclude", "dev", outcome="requests have an importance, and search is back for everybody")
    it.open(
        *(708, "insight", "A checkout in one step is planned for spring", "dev"),
        text="It asks three services at once instead of one after the other.",
        topic="upcoming_feature",
    )
    training = it.open(600, "training", "The shop for SREs: what customers do all day", "dev", owner="bela")
    it.go(612, training, "hold", "dev", people=("falk", "greta", "hana"), outcome="alerts name what customers feel")
    for number, (production, product) in enumerate(
        (
            ("Checkout met its objective in its first quarter.", "Generally available; one basket in nine is paid."),
            ("Configuration is what breaks most.", "Search suggests while people type."),
            ("A calm quarter, with budget to spare.", "Guests can pay without an account."),
            ("Search spent its budget in three weeks, and has fewer users until it sheds load.", "Reviews moved in."),
            ("Search is back, and drops the least important requests first.", "Recommendations have first users."),
            ("The season's load test found one bound too many.", "The season's campaign is ready."),
        )
    ):
        it.meet(148 + _QUARTER * (number + 1) - 7, Meeting(production=production, product=product, keep=("canaries",)))
    it.meet(
        495,
        Meeting(
            series="service-review",
            production="Twelve months: regions apart, search in classes of importance, one rota less.",
            product="Twelve months: checkout in one step, recommendations everywhere, the legacy catalogue gone.",
        ),
    )
    it.goes_on()
    return it
