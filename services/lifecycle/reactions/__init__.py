"""What lifecycle does by itself: when it is time, and about what it hears."""

from collections.abc import Mapping, Sequence
from functools import partial

from libs.events.envelope import Context
from libs.events.reactor import Reaction
from libs.events.resources import Resources
from libs.events.store import Timer
from libs.events.timers import Fire
from services.lifecycle import timetable
from services.lifecycle.config import Policies
from services.lifecycle.contract import ARCHITECTURE, READINESS_REVIEW, RISK_REGISTER, WAIVER
from services.lifecycle.domain.catalogs import Catalogs
from services.lifecycle.domain.engagement.policy import EngagementPolicy
from services.lifecycle.domain.waiver.commands import Expire
from services.lifecycle.inbox import Inbox
from services.lifecycle.reactions.architecture import architecture_reactions, architecture_waiver_lapses
from services.lifecycle.reactions.changes import change_reactions
from services.lifecycle.reactions.digests import compile_digest
from services.lifecycle.reactions.engagement_dates import compare, look, remind
from services.lifecycle.reactions.engagements import engagement_reactions
from services.lifecycle.reactions.reviews import review_lapses, review_reactions
from services.lifecycle.reactions.risks import acceptance_lapses, risk_reactions
from services.lifecycle.reactions.team_dates import say_missed


def reactions(resources: Resources, policies: Policies, catalogs: Catalogs) -> Sequence[Reaction]:
    """What is done about what is heard."""
    return (
        *engagement_reactions(resources, policies.engagements),
        *risk_reactions(resources, policies.risks),
        *review_reactions(resources),
        *change_reactions(resources, policies.delivery),
        *architecture_reactions(resources, policies.architecture, catalogs),
    )


def timers(resources: Resources, engagements: EngagementPolicy, inbox: Inbox) -> Mapping[str, Fire]:
    """What is done when a timer is due."""
    return {
        timetable.LOOKING: partial(look, resources, engagements),
        timetable.WATCHING: partial(compare, resources, engagements),
        timetable.ITEM_DUE: partial(remind, resources),
        timetable.DIGEST: partial(compile_digest, inbox),
        timetable.TEAM_DUE: partial(
            say_missed, resources, timetable.team_dates(inbox.policies.inbox, inbox.policies.teams)
        ),
        READINESS_REVIEW.category: partial(review_lapses, resources),
        WAIVER.category: partial(_waiver_ends, resources),
        RISK_REGISTER.category: partial(acceptance_lapses, resources),
        ARCHITECTURE.category: partial(architecture_waiver_lapses, resources),
    }


async def _waiver_ends(resources: Resources, timer: Timer, context: Context) -> None:
    """The time of a waiver is up: its check counts again, and another waiver may be asked for."""
    waiver = timetable.key_of(timer)
    await resources.handler.handle(WAIVER, waiver, Expire(waiver, context.at), context, effects=timetable.waiving)
