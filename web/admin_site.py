"""The operators' admin site."""

from django.contrib.admin import AdminSite


class OperatorSite(AdminSite):
    site_header = "Crypto Graph Trader · operators"
    site_title = "Crypto Graph Trader"
    index_title = "Operations"
