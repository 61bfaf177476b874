"""What was done with a user's data, for that user to read."""

from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.models import User
from core.django import tenancy
from core.django.schema import problems
from core.django.serializers import QuerySerializer
from core.django.views import Endpoint


class AuditQuery(QuerySerializer):
    """`since` is in, `until` is not."""

    action = serializers.CharField(
        required=False, max_length=50, help_text="INSERT, UPDATE, DELETE, or an event such as `log-in`."
    )
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)
    limit = serializers.IntegerField(min_value=1, max_value=audit.MOST, default=50)
    cursor = serializers.CharField(
        required=False, max_length=80, help_text="`next_cursor` of the page before."
    )


class AuditEntrySerializer(serializers.Serializer[audit.Entry]):
    """An entry. Secrets and personal data in the values are redacted; an operator's address is kept from users."""

    id = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    action = serializers.CharField()
    table_name = serializers.CharField(help_text="Empty for events.")
    record_id = serializers.CharField()
    actor_kind = serializers.CharField(help_text="anonymous, user, operator, worker, command, or unknown.")
    is_own = serializers.BooleanField(help_text="Whether the user did it.")
    token_id = serializers.UUIDField(allow_null=True, help_text="The API token it was done with.")
    request_id = serializers.CharField()
    ip_address = serializers.IPAddressField(allow_null=True)
    user_agent = serializers.CharField()
    old_values = serializers.DictField(child=serializers.JSONField(), allow_null=True)
    new_values = serializers.DictField(child=serializers.JSONField(), allow_null=True)


class AuditPageSerializer(serializers.Serializer[audit.Page]):
    results = AuditEntrySerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class AuditView(Endpoint):
    """The audit trail of the user's own data."""

    query_serializer = AuditQuery

    @extend_schema(
        operation_id="api_audit",
        tags=["audit"],
        parameters=[AuditQuery],
        responses={200: AuditPageSerializer, **problems(400, 401)},
    )
    def get(self, request: Request) -> Response:
        """A page of entries, newest first; `next_cursor` is null on the last."""
        with tenancy.acting_as(cast("User", request.user).id):
            page = audit.page(**self.query)
        return Response(AuditPageSerializer(page).data)
