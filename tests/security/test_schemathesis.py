"""Generated requests, valid and invalid, to every operation of the OpenAPI document, beside two users' data.

Every check of schemathesis: no server error, answers as documented (status, content type, headers, body), wrong data
refused, right data taken, authentication never ignored; then chains of requests, each going on with what the one
before answered. SCHEMATHESIS_EXAMPLES requests are made up for each operation (default 2, the same in every run; from
10 on also every edge of the schema): `SCHEMATHESIS_EXAMPLES=200 make test ARGS=tests/security/test_schemathesis.py`.
"""

import os
from typing import Any, Final

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig

from tests.security.people import Person, undone
from web.api.docs import document

EXAMPLES: Final = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "2"))
IS_SMALL: Final = EXAMPLES < 10
# What is right in these requests no schema can say: tokens, codes and passwords that are somebody's, cursors that were
# answered before, passwords that are not weak, exchanges with an adapter, names that are not blank, periods.
KNOWS_MORE: Final = (
    "/api-credentials/{account_id}", "/api-credentials/save-credentials", "/api/audit", "/api/exports",
    "/api/fills", "/api/orders",
    "/api/performance/metrics", "/api/performance/strategies", "/api/portfolio/equity-curve", "/api/trades/history",
    "/auth/api-tokens",
    "/auth/reset-password", "/auth/two-factor/confirm", "/user/change-email", "/user/change-password",
    "/user/confirm-email", "/user/me", "/user/register-user", "/user/verify-email", "/{exchange}/open-orders",
    "/{exchange}/order-history", "/{exchange}/account-snapshot", "/{exchange}/deposit-history",
    "/{exchange}/withdraw-history", "/{exchange}/transfer-history", "/{exchange}/trade-fills",
    "/bitget/order/all-open-orders", "/bitget/order/trade-fills", "/bitget/deposit-records",
    "/bitget/withdrawal-records",
)  # fmt: skip
_TAKEN: Final = ["2xx", "3xx", "400", "401", "403", "404", "409", "429"]

pytestmark = pytest.mark.django_db
schema = schemathesis.openapi.from_dict(
    document(),
    config=SchemathesisConfig.from_dict(
        {
            "generation": {
                "max-examples": EXAMPLES,
                "deterministic": IS_SMALL,
                "database": "none",
                "allow-x00": False,  # no text of a database holds it, and no schema says so
            },
            "phases": {"coverage": {"enabled": not IS_SMALL}},
            "operations": [
                {"include-path": path, "checks": {"positive_data_acceptance": {"expected-statuses": _TAKEN}}}
                for path in KNOWS_MORE
            ],
        }
    ),
)
schema.app = get_wsgi_application()


@schema.parametrize()
def test_answers_as_documented(case: Any, people: list[Person]) -> None:
    with undone():
        case.call_and_validate(headers=_as(people[0]))


def test_chains_of_requests_answer_as_documented(people: list[Person]) -> None:
    class Chains(schema.as_state_machine()):  # type: ignore[misc]  # made by schemathesis
        def setup(self) -> None:
            self.undone = undone()
            self.undone.__enter__()

        def teardown(self) -> None:
            self.undone.__exit__(None, None, None)

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": _as(people[1])}

        def validate_response(self, response: Any, case: Any, **options: Any) -> None:
            case.validate_response(
                response,
                headers=_as(people[1]),
                additional_checks=options.get("additional_checks"),
                transport_kwargs={"headers": _as(people[1])},
                recorder=self.recorder,
            )

    Chains.run(
        settings=settings(
            max_examples=EXAMPLES * 5,
            stateful_step_count=5,
            derandomize=IS_SMALL,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
    )


def _as(person: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {person.access_token}"}
