"""What users say about their transfers: what a deposit cost, and which withdrawal it was."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from core.django import tenancy
from core.django.answers import plain, schema
from core.django.schema import problems
from core.django.serializers import QuerySerializer, StrictSerializer
from core.django.views import Endpoint
from core.money import DIGITS, PLACES
from orders import own_transfers
from orders.models import OwnTransfer, StatedCost, Transfer
from portfolio import statements

_MOST = 100


class CostSerializer(StrictSerializer):
    """`cost` null: unknown again."""

    cost = serializers.DecimalField(
        max_digits=DIGITS,
        decimal_places=PLACES,
        min_value=Decimal(0),
        allow_null=True,
        help_text="Of the whole deposit, in the reporting currency, without fees.",
    )
    note = serializers.CharField(max_length=1000, allow_blank=True, default="")


# As the serializer takes it: a PATCH that must name the cost, and amounts without a sign.
_COST = {
    "type": "object",
    "required": ["cost"],
    "additionalProperties": False,
    "properties": {
        "cost": {
            "type": ["string", "null"],
            "pattern": rf"^[0-9]{{1,{DIGITS - PLACES}}}(\.[0-9]{{1,{PLACES}}})?$",
            "description": "Of the whole deposit, in the reporting currency, without fees; null: unknown again.",
        },
        "note": {"type": "string", "maxLength": 1000},
    },
}


class PairSerializer(StrictSerializer):
    """Both ends of a transfer between two accounts."""

    outgoing_id = serializers.IntegerField(help_text="The withdrawal.")
    incoming_id = serializers.IntegerField(help_text="The deposit.")
    note = serializers.CharField(max_length=1000, allow_blank=True, default="")


class PairQuery(QuerySerializer):
    """Which pairs."""

    state = serializers.ChoiceField(choices=OwnTransfer.State.choices, required=False)
    limit = serializers.IntegerField(min_value=1, max_value=_MOST, default=50)
    cursor = serializers.IntegerField(required=False, default=0, min_value=0)


@dataclass(frozen=True, slots=True)
class StatedDeposit:
    """A deposit with what its owner says it cost. Its book is folded anew in the background."""

    id: int
    account_id: UUID
    asset: str
    amount: Decimal
    occurred_at: datetime
    cost: Decimal | None
    note: str


@dataclass(frozen=True, slots=True)
class TransferEnd:
    id: int
    account_id: UUID
    exchange_transfer_id: str
    amount: Decimal
    fee_amount: Decimal
    tx_id: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class TransferPair:
    """A withdrawal and the deposit that it was; only where `state` is `confirmed` the coins keep their cost."""

    id: int
    state: str
    matched_by: str
    note: str
    asset: str
    outgoing: TransferEnd
    incoming: TransferEnd


@dataclass(frozen=True, slots=True)
class TransferPairPage:
    results: list[TransferPair]
    next_cursor: int | None


class TransferView(Endpoint):
    """One deposit, as its owner tells of it."""

    @extend_schema(
        operation_id="api_transfer_state_cost",
        tags=["transfers"],
        request={"application/json": _COST},
        responses={200: schema(StatedDeposit, amounts="text"), **problems(400, 401, 403, 404)},
    )
    def patch(self, request: Request, transfer_id: int) -> Response:
        """Say what a deposit cost, or that nobody knows. The change stands in the audit trail, and the coin's book is
        folded anew from the deposit on, in the background."""
        given = self.body(CostSerializer)
        transfer, stated = statements.state_cost(user_id=_user_id(request), transfer_id=transfer_id, **given)
        return Response(plain(_deposit(transfer, stated), amounts="text"))


class PairsView(Endpoint):
    """Transfers between the user's own accounts."""

    query_serializer = PairQuery

    @extend_schema(
        operation_id="api_own_transfers",
        tags=["transfers"],
        parameters=[PairQuery],
        responses={200: schema(TransferPairPage, amounts="text"), **problems(400, 401)},
    )
    def get(self, request: Request) -> Response:
        """A page, oldest first. `proposed` ones wait to be confirmed or rejected."""
        limit = self.query["limit"]
        with tenancy.acting_as(_user_id(request)):
            rows = own_transfers.listed(
                state=self.query.get("state"), after=self.query["cursor"], limit=limit + 1
            )
            found = [_pair(row) for row in rows[:limit]]
        page = TransferPairPage(found, found[-1].id if len(rows) > limit else None)
        return Response(plain(page, amounts="text"))

    @extend_schema(
        operation_id="api_own_transfer_declare",
        tags=["transfers"],
        request=PairSerializer,
        responses={201: schema(TransferPair, amounts="text"), **problems(400, 401, 403, 404, 409)},
    )
    def post(self, request: Request) -> Response:
        """Say that a withdrawal and a deposit are one transfer: its coins keep their cost and their age."""
        given = self.body(PairSerializer)
        pair = _pair(statements.declare(user_id=_user_id(request), **given))
        return Response(plain(pair, amounts="text"), status=status.HTTP_201_CREATED)


class _DecideView(Endpoint):
    """One pair, decided on."""

    def decide(self, request: Request, pair_id: int, *, is_one: bool) -> Response:
        pair = statements.decide(user_id=_user_id(request), pair_id=pair_id, is_one=is_one)
        return Response(plain(_pair(pair), amounts="text"))


class ConfirmView(_DecideView):
    """A pair that is one transfer."""

    @extend_schema(
        operation_id="api_own_transfer_confirm",
        tags=["transfers"],
        request=None,
        responses={200: schema(TransferPair, amounts="text"), **problems(401, 403, 404, 409)},
    )
    def post(self, request: Request, pair_id: int) -> Response:
        """Its coins keep their cost and their age."""
        return self.decide(request, pair_id, is_one=True)


class RejectView(_DecideView):
    """A pair that is none."""

    @extend_schema(
        operation_id="api_own_transfer_reject",
        tags=["transfers"],
        request=None,
        responses={200: schema(TransferPair, amounts="text"), **problems(401, 403, 404)},
    )
    def post(self, request: Request, pair_id: int) -> Response:
        """It is never matched again; what came in has the cost its owner states, or none that is known."""
        return self.decide(request, pair_id, is_one=False)


def _deposit(transfer: Transfer, stated: StatedCost | None) -> StatedDeposit:
    cost, note = (stated.cost, stated.note) if stated else (None, "")
    return StatedDeposit(
        transfer.id, transfer.account_id, transfer.asset, transfer.amount, transfer.occurred_at, cost, note
    )


def _pair(own: OwnTransfer) -> TransferPair:
    return TransferPair(
        own.id,
        own.state,
        own.matched_by,
        own.note,
        own.incoming.asset,
        _end(own.outgoing),
        _end(own.incoming),
    )


def _end(transfer: Transfer) -> TransferEnd:
    return TransferEnd(
        *(
            transfer.id,
            transfer.account_id,
            transfer.exchange_transfer_id,
            transfer.amount,
            transfer.fee_amount,
        ),
        *(transfer.tx_id, transfer.occurred_at),
    )


def _user_id(request: Request) -> UUID:
    return cast("User", request.user).id
