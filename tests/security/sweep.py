"""Puts what one person owns into every place of another's requests, and looks for it in the answers and the tables.

A request carries one foreign value at a time: in the path, the query, a header or the body, and in filters, orderings
and members that the document does not promise. Besides the value of the right kind, SWEEP_VALUES others (default 1)
go into each place: `SWEEP_VALUES=1000 make test ARGS=tests/security/test_sweep.py` puts in every one there is.
"""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlencode

from tests.security.harvest import answer_texts, checksums, gather, marks, owned_tables, watching_writes
from tests.security.operations import Operation, Value
from tests.security.people import Person, undone
from tests.security.recipes import RECIPES, Recipe, account_of

PER_PLACE: Final = int(os.environ.get("SWEEP_VALUES", "1"))
# What nobody documented but a filter or a mass assignment would take.
UNDOCUMENTED: Final = ("user", "user_id", "account_id", "account__user", "id", "ordering", "email")


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `sent` is the foreign text in it, which an answer may repeat; `status` what it must answer."""

    path: str
    body: dict[str, Any]
    headers: dict[str, str]
    sent: str = ""
    status: int | None = None


class Sweep:
    """Three people, of whom the first two own rows; what of theirs must never be seen or changed by another."""

    def __init__(self, people: list[Person]) -> None:
        self.people = people
        self.owners = people[:2]
        self.harvests = gather(people)
        self._checksums: dict[frozenset[str], dict[str, str]] = {}

    def of(self, operation: Operation, *, undocumented: bool = True) -> list[str]:
        """What went wrong, a line each."""
        recipe = RECIPES[str(operation)]
        found: list[str] = []
        for person in self.people:
            foreign = [owner for owner in self.owners if owner is not person]
            requests = [*self._requests(operation, recipe, person, foreign)]
            if undocumented:
                requests += _undocumented(operation, recipe, person, foreign[0])
            for request in requests:
                with undone():
                    answer, writes = _ask(operation, recipe, person, request)
                    after = checksums(foreign, writes, but=recipe.effects)
                what = f"{operation} by {person.name}: {request}: {answer.content[:200]!r}"
                found += [f"{fault}: {what}" for fault in self._faults(person, request, answer)]
                found += [
                    f"changed {rows}: {what}" for rows in after if after[rows] != self._before(recipe)[rows]
                ]
        return found

    def _before(self, recipe: Recipe) -> dict[str, str]:
        """The owners' rows as they always are again."""
        if recipe.effects not in self._checksums:
            self._checksums[recipe.effects] = checksums(self.owners, owned_tables(), but=recipe.effects)
        return self._checksums[recipe.effects]

    def _faults(self, person: Person, request: Request, answer: Any) -> list[str]:
        found = []
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            found.append("broke")
        elif request.status is not None and answer.status_code != request.status:
            found.append(f"{answer.status_code}, not {request.status}")
        told = marks(answer_texts(answer)) - marks([request.sent])
        others = [owner for owner in self.owners if owner is not person]
        leaks = {owner.name: told & self.harvests[owner.name].marks for owner in others}
        found += [f"tells {name}'s {sorted(leaked)[:5]}" for name, leaked in leaks.items() if leaked]
        return found

    def _requests(
        self, operation: Operation, recipe: Recipe, person: Person, foreign: list[Person]
    ) -> Iterator[Request]:
        if person in self.owners:
            yield _request(operation, recipe, person, status=recipe.status)
        for other in foreign:
            yield from self._of_the_right_kind(operation, recipe, person, other)
            for value in operation.values:
                for text in self._some(operation, value, other):
                    yield _request(operation, recipe, person, value.place, {value.name: text})

    def _of_the_right_kind(
        self, operation: Operation, recipe: Recipe, person: Person, other: Person
    ) -> Iterator[Request]:
        """Where an id stands, the other's id of that kind: it is not there."""
        own_path, their_path, their_body = recipe.path(person), recipe.path(other), recipe.body(other)
        for value in operation.values:
            if value.place == "path" and own_path.get(value.name) != their_path.get(value.name):
                yield _request(
                    operation, recipe, person, "path", {value.name: their_path[value.name]}, status=404
                )
            elif value.name in recipe.owned:
                for text in (account_of(other), f"{other.name}-main"):
                    yield _request(operation, recipe, person, value.place, {value.name: text}, status=404)
            elif value.place == "body" and value.name in {*their_body} - recipe.proof:
                yield _request(operation, recipe, person, "body", {value.name: their_body[value.name]})

    def _some(self, operation: Operation, value: Value, other: Person) -> list[Any]:
        """Values of the other's that fit, chosen by where they go: the same ones in every run."""
        fitting = self.harvests[other.name].values.get(value.type, [])
        chance = random.Random(f"{operation} {value.name} {other.name}")
        return chance.sample(fitting, min(PER_PLACE, len(fitting)))


def _undocumented(operation: Operation, recipe: Recipe, person: Person, other: Person) -> Iterator[Request]:
    for name in sorted({*UNDOCUMENTED} - {value.name for value in operation.values}):
        foreign = {name: other.user.email if name == "email" else str(other.id)}
        yield _request(operation, recipe, person, "query", foreign)
        if operation.takes_body:
            yield _request(operation, recipe, person, "body", foreign)


def _ask(operation: Operation, recipe: Recipe, person: Person, request: Request) -> tuple[Any, set[str]]:
    """The answer, and the tables that the request wrote to."""
    body = {**recipe.prepare(person), **request.body}
    ask = getattr(person.client, operation.method)
    with watching_writes() as writes:
        answer = ask(request.path, body if operation.takes_body else None, **request.headers)
    return answer, writes


def _request(
    operation: Operation,
    recipe: Recipe,
    person: Person,
    place: str = "",
    foreign: dict[str, Any] | None = None,
    status: int | None = None,
) -> Request:
    """The recipe's request of this person, with foreign values in one place."""
    more = {place: foreign or {}}
    path = {**recipe.path(person), **more.get("path", {})}
    query = {**recipe.query, **more.get("query", {})}
    headers = more.get("header", {})
    return Request(
        path=operation.path.format(**{name: quote(str(part), safe="") for name, part in path.items()})
        + (f"?{urlencode(query)}" if query else ""),
        body={**recipe.body(person), **more.get("body", {})},
        headers={f"HTTP_{name.upper().replace('-', '_')}": str(value) for name, value in headers.items()},
        sent=" ".join(str(value) for value in (foreign or {}).values()),
        status=status,
    )
