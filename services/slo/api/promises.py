"""From documents that were sent to what is stored of them, or the refusals that say why not.

References are followed among the documents and into what is stored, which is read from the streams themselves: what
was just stored is there. An edited object gives every SLO that uses it a new revision in the same transaction, and is
refused if one of them could not be resolved any more.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from libs.events.decider import Decider
from libs.events.handler import Loaded, Step
from libs.events.resources import Resources
from libs.web.problems import Place, Problem
from services.slo.contract import OBJECT, SLO, SOURCE
from services.slo.domain.openslo import (
    Decoded,
    Definition,
    Fault,
    Mode,
    Resolved,
    Verdict,
    catalogue,
    check,
    decode,
    references,
    resolve,
)
from services.slo.domain.openslo.promise import promise_of
from services.slo.domain.openslo_object.commands import Store
from services.slo.domain.openslo_object.decider import Stored
from services.slo.domain.slo.commands import Document, Revise
from services.slo.domain.slo.decider import Defined
from services.slo.domain.source.decider import Defined as Polled
from services.slo.exchange.promql import complainer
from services.slo.projections.known_services import unknown_services
from services.slo.projections.openslo_objects import OPENSLO_OBJECTS, users_of
from services.slo.projections.slos import SLOS

_LOOK_AGAIN_S = 0.02
_CATCH_UP_S = 5.0

Key = tuple[str, str]  # kind and name
AnyStep = Step[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """A valid document, as it was sent and as it was read."""

    document: Document
    decoded: Decoded

    @property
    def key(self) -> Key:
        """Kind and name."""
        return self.decoded.kind, self.decoded.name


@dataclass(frozen=True, slots=True)
class Planned:
    """A document that is to be stored.

    Args:
        sent: Which.
        step: What stores it.
        warnings: What is to be known about it.
        revision: That it will have.
        definition: Of an SLO.
    """

    sent: Sent
    step: AnyStep
    warnings: list[str]
    revision: int
    definition: Definition | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of the documents of one request, by their index.

    Args:
        planned: What is to be stored.
        refused: What is not.
        beside: SLOs that get a new revision by it, and what has to stand as it was read.
        read: All that it was worked out from.
    """

    planned: Mapping[int, Planned]
    refused: Mapping[int, Problem]
    beside: Sequence[AnyStep]
    read: Mapping[Key, Loaded[Any]]

    @property
    def steps(self) -> list[AnyStep]:
        """All that is stored."""
        return [*(planned.step for planned in self.planned.values()), *self.beside]


async def plan(
    resources: Resources, values: Sequence[object], at: datetime, *, mode: Mode, revise: bool, wait_s: float
) -> Plan:
    """What is to be stored of *values*.

    Args:
        resources: The service's adapters.
        values: Documents as they were sent.
        at: When.
        mode: Unknown fields are errors, or warnings.
        revise: Whether what is stored under the same name gives way; otherwise it is a conflict.
        wait_s: How long to wait for a service that is just being registered.
    """
    planning = _Planning(resources)
    for index, (value, verdict) in enumerate(
        zip(values, await asyncio.to_thread(check_all, values, mode), strict=True)
    ):
        if verdict.document is None or verdict.errors:
            planning.refused[index] = invalid(verdict.errors)
        else:
            document: Document = value  # pyright: ignore[reportAssignmentType]  it was decoded as an object
            planning.sent[index] = Sent(document, verdict.document)
            planning.warnings[index] = [f"{fault.path}: {fault.detail}" for fault in verdict.warnings]
    await planning.load_stored()
    await planning.refuse_unknown_services(wait_s)
    if not revise:
        await planning.refuse_existing()
    await planning.find_users()
    while planning.refuse_unresolved(await asyncio.to_thread(planning.resolve)):
        pass
    return planning.done(at)


async def unresolved(resources: Resources, documents: Mapping[int, Decoded]) -> dict[int, tuple[Fault, ...]]:
    """What keeps valid *documents* from being stored here, by their index: mostly references to nothing."""
    planning = _Planning(resources, sent={index: Sent({}, document) for index, document in documents.items()})
    await planning.load_stored()
    planning.services -= await resources.views.read(unknown_services, planning.services)
    faults = (await asyncio.to_thread(planning.resolve)).faults
    return {index: faults[place] for place, index in enumerate(documents) if place in faults}


async def load(resources: Resources, key: Key) -> Document | None:
    """The document stored under *key*; None if there is none that can be referred to."""
    return _document((await resources.handler.load(*_place(key))).state)


def _place(key: Key) -> tuple[Decider[Any, Any, Any], str]:
    kind, name = key
    return (SLO, name) if kind == "SLO" else (OBJECT, f"{kind}/{name}")


def _document(state: Any) -> Document | None:  # noqa: ANN401  of an SLO, or of another object
    match state:
        case Defined():
            return state.promise.document
        case Stored():
            return state.last.document
        case _:
            return None


async def users(resources: Resources, keys: Iterable[Key]) -> list[Key]:
    """What refers to any of *keys*, directly or not, as of all that is stored.

    Raises:
        Problem: 503, the read models are behind.
    """
    used = [f"{kind}/{name}" for kind, name in keys]
    if not used:
        return []
    store, views = resources.store, resources.views
    head = await store.head()
    waits = (views.wait_applied(p.name, "slo", store.epoch, 0, head, _CATCH_UP_S) for p in (SLOS, OPENSLO_OBJECTS))
    if not all(await asyncio.gather(*waits)):
        detail = "what refers to it is not known yet; send it again in a moment"
        raise Problem(503, "behind", "The read models are behind", detail, headers={"Retry-After": "2"})
    found = await views.read(users_of, used)
    return [(kind, name) for kind, _, name in (each.partition("/") for each in found)]


def invalid(faults: Iterable[Fault]) -> Problem:
    """The refusal of a document that breaks rules, or cannot be resolved."""
    faults = list(faults)
    said = "; ".join(f"{fault.path or 'the document'}: {fault.detail}" for fault in faults[:3])
    more = f" (and {len(faults) - 3} more)" if len(faults) > 3 else ""  # noqa: PLR2004  as many as are said
    named = [fault_answer(fault) | {"pointer": fault.path.pointer} for fault in faults]
    return Problem(422, "invalid-openslo", "The document is not valid OpenSLO v1", said + more, extra={"errors": named})


def fault_answer(fault: Fault) -> dict[str, Any]:
    """A broken rule as it is answered."""
    return {"path": str(fault.path), "code": fault.code, "detail": fault.detail}


def check_all(values: Sequence[object], mode: Mode) -> list[Verdict]:
    """What is wrong with *values* by themselves; takes its time, mostly for PromQL."""
    complain = complainer()
    return [check(value, mode, complain) for value in values]


@dataclass(slots=True)
class _Planning:
    """A plan that is being made: documents go from *sent* to *refused* until those that are left fit together."""

    resources: Resources
    sent: dict[int, Sent] = field(default_factory=dict[int, Sent])
    refused: dict[int, Problem] = field(default_factory=dict[int, Problem])
    warnings: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    stored: dict[Key, Sent | None] = field(default_factory=dict[Key, Sent | None])  # None: looked for, not there
    read: dict[Key, Loaded[Any]] = field(default_factory=dict[Key, Loaded[Any]])
    users: list[Sent] = field(default_factory=list[Sent])
    services: set[str] = field(default_factory=set[str])  # of the SLOs sent, and known
    sources: set[str] = field(default_factory=set[str])  # that are polled, and are no DataSource that is stored
    definitions: dict[Key, Definition] = field(default_factory=dict[Key, Definition])

    async def load_stored(self) -> None:
        """Read what is stored under the names of the documents, and all that they refer to, directly or not."""
        await self._load({sent.key for sent in self.sent.values()}.union(*map(references, self._sent)))
        self.services = {sent.decoded.fields["spec"]["service"] for sent in self.sent.values() if sent.key[0] == "SLO"}

    async def refuse_unknown_services(self, wait_s: float) -> None:
        """Refuse SLOs of services that neither lifecycle nor a document of kind Service has told of."""
        told = {name for (kind, name), held in self.stored.items() if kind == "Service" and held}
        told |= {sent.key[1] for sent in self.sent.values() if sent.key[0] == "Service"}
        unknown = await unknown_after(self.resources, self.services - told, wait_s)
        unregistered = await self.resources.views.read(unknown_services, self.services & told)
        for index, sent in list(self.sent.items()):
            service = sent.decoded.fields["spec"]["service"] if sent.key[0] == "SLO" else ""
            if service in unknown:
                self._refuse(index, unknown_service(service))
            elif service in unregistered:
                self.warnings[index].append(
                    f"service {service!r} is not registered (POST /v1/services): nobody owns it"
                )

    async def refuse_existing(self) -> None:
        """Refuse what would take the place of something else of the same name."""
        for index, sent in list(self.sent.items()):
            if self._edits(sent):
                self._refuse(index, _exists(sent.key, await _revision(self.resources, sent.key)))

    async def find_users(self) -> None:
        """Find what refers to the objects that are edited, and is not sent itself."""
        edited = [sent.key for sent in self.sent.values() if self._edits(sent) and self._concerns_users(sent)]
        keys = await users(self.resources, edited)
        await self._load(set(keys))
        mine = {sent.key for sent in self.sent.values()}
        self.users = [held for key in keys if key not in mine and (held := self.stored[key])]

    def resolve(self) -> Resolved:
        """Follow all references of what is sent, and behind it of what uses it."""
        held = (sent.document for sent in self.stored.values() if sent)
        services = self.services.union(
            user.decoded.fields["spec"]["service"] for user in self.users if user.key[0] == "SLO"
        )
        documents = [*self._sent, *(user.decoded for user in self.users)]
        return resolve(documents, catalogue(held, services, self.sources), complainer())

    def refuse_unresolved(self, resolved: Resolved) -> bool:
        """Refuse what cannot be resolved, or would break what uses it; whether there was anything."""
        indexes, known = list(self.sent), self._known()
        for place, faults in resolved.faults.items():
            if place < len(indexes):
                self._refuse(indexes[place], invalid(faults))
                continue
            user = self.users[place - len(indexes)]
            for index, sent in list(self.sent.items()):
                if sent.key in _uses(user.decoded, known) and self._edits(sent):
                    self._refuse(index, _breaks(sent.key, user.key, faults[0]))
        if resolved.faults:
            broken = {place - len(indexes) for place in resolved.faults}
            self.users = [user for number, user in enumerate(self.users) if number not in broken]
            return True
        everything = [*self.sent.values(), *self.users]
        self.definitions = {everything[place].key: found for place, found in resolved.definitions.items()}
        return False

    def done(self, at: datetime) -> Plan:
        """The plan."""
        planned: dict[int, Planned] = {}
        for index, sent in self.sent.items():
            step = self._step(sent, at)
            state = self.read[sent.key].state
            made = step.decider.fold(state, step.decider.decide(step.command, state))
            revision = made.last.revision if sent.key[0] != "SLO" else made.revision
            planned[index] = Planned(sent, step, self.warnings[index], revision, self.definitions.get(sent.key))
        changed = {each.key for each in (*self.sent.values(), *self.users)}
        standing = [Step(*_place(key), None, expected=self.read[key].version) for key in self.read.keys() - changed]
        return Plan(planned, self.refused, [*(self._step(user, at) for user in self.users), *standing], self.read)

    def _step(self, sent: Sent, at: datetime) -> AnyStep:
        kind, name = sent.key
        uses = tuple(sorted(f"{kind}/{name}" for kind, name in _uses(sent.decoded, self._known())))
        if kind == "SLO":
            promise = promise_of(self.definitions[sent.key], sent.decoded, sent.document, uses)
            command: Revise | Store = Revise(promise, at)
        else:
            command = Store(kind, name, sent.document, uses, at)
        return Step(*_place(sent.key), command, expected=self.read[sent.key].version)

    async def _load(self, keys: set[Key]) -> None:
        while wanted := sorted(keys - self.stored.keys()):
            found = await asyncio.gather(*(self.resources.handler.load(*_place(key)) for key in wanted))
            self.read |= zip(wanted, found, strict=True)
            for key, document in ((key, _document(self.read[key].state)) for key in wanted):
                decoded = decode(document) if document else None
                if key[0] == "DataSource" and document is None and await _is_polled(self.resources, key[1]):
                    self.sources.add(key[1])
                self.stored[key] = Sent(document, decoded) if document and isinstance(decoded, Decoded) else None
            keys = keys.union(*(references(held.decoded) for key in wanted if (held := self.stored[key])))

    @property
    def _sent(self) -> list[Decoded]:
        return [sent.decoded for sent in self.sent.values()]

    def _known(self) -> dict[Key, Decoded]:
        stored = {key: held.decoded for key, held in self.stored.items() if held}
        return stored | {sent.key: sent.decoded for sent in self.sent.values()}

    def _edits(self, sent: Sent) -> bool:
        held = self.stored[sent.key]
        return held is not None and held.document != sent.document

    def _concerns_users(self, sent: Sent) -> bool:
        """Whether an edit is felt by what refers to the object: composites know of an SLO how its SLI comes about."""
        held = self.stored[sent.key]
        return held is None or sent.key[0] != "SLO" or _way_of_sli(held.decoded) != _way_of_sli(sent.decoded)

    def _refuse(self, index: int, problem: Problem) -> None:
        self.refused[index] = problem
        self.sent.pop(index, None)


def _way_of_sli(slo: Decoded) -> object:
    spec, told = slo.fields["spec"], ("displayName", "target", "targetPercent")
    objectives = [{key: o[key] for key in o if key not in told} for o in spec.get("objectives", ())]
    return spec["budgetingMethod"], objectives, slo.fields["metadata"].get("annotations")


async def _is_polled(resources: Resources, source: str) -> bool:
    return isinstance((await resources.handler.load(SOURCE, source)).state, Polled)


def _uses(decoded: Decoded, known: Mapping[Key, Decoded]) -> set[Key]:
    """What *decoded* refers to, directly or not, as far as it is *known*."""
    found, queue = set[Key](), [decoded]
    while queue:
        for key in references(queue.pop()) & known.keys():
            if key not in found:
                found.add(key)
                queue.append(known[key])
    return found - {(decoded.kind, decoded.name)}


async def _revision(resources: Resources, key: Key) -> int:
    kind, name = key
    if kind == "SLO":
        slo = (await resources.handler.load(SLO, name)).state
        return slo.revision if isinstance(slo, Defined) else 0
    held = (await resources.handler.load(OBJECT, f"{kind}/{name}")).state
    return held.last.revision if held else 0


def _exists(key: Key, revision: int) -> Problem:
    kind, name = key
    where = f"/v1/slos/{name}" if kind == "SLO" else f"/v1/openslo/{kind}/{name}"
    detail = (
        f"{kind} {name!r} is defined already, and differently; PUT {where} revises it, as does POST with ?revise=true"
    )
    code = "slo-exists" if kind == "SLO" else "object-exists"
    return Problem(409, code, "The name has another definition", detail, extra={"revision": revision})


def _breaks(key: Key, user: Key, fault: Fault) -> Problem:
    detail = (
        f"{' '.join(user)} refers to it and could not be evaluated any more: {fault.path}: {fault.detail};"
        f" send both documents together"
    )
    return Problem(
        409, "in-use", f"The {key[0]} is in use", detail, [Place(detail)], extra={"used_by": ["/".join(user)]}
    )


async def unknown_after(resources: Resources, services: set[str], wait_s: float) -> set[str]:
    """Those of *services* that nobody has told of, even *wait_s* later: a service just registered is on its way."""
    deadline = asyncio.get_running_loop().time() + wait_s
    while services:
        unknown = await resources.views.read(unknown_services, services)
        if not unknown or asyncio.get_running_loop().time() >= deadline:
            return unknown
        await asyncio.sleep(_LOOK_AGAIN_S)
    return set()


def unknown_service(service: str, pointer: str = "/spec/service") -> Problem:
    """The refusal of what is about a service that nobody has told of."""
    detail = f"there is no service {service!r}; register it (POST /v1/services), or correct its name"
    return Problem(422, "unknown-service", "The service is unknown", detail, [Place(detail, pointer)])
