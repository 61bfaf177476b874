"""The seeds' routes of exchange credentials."""

from django.urls import path

from web.api.credentials import CredentialView, SaveCredentialsView, UserCredentialsView

urlpatterns = [
    path("api-credentials/save-credentials", SaveCredentialsView.as_view(), name="save-credentials"),
    path("api-credentials/user/<uuid:user_id>", UserCredentialsView.as_view(), name="user-credentials"),
    path("api-credentials/<uuid:account_id>", CredentialView.as_view(), name="credential"),
]
