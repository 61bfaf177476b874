from django.apps import AppConfig
from django.contrib.admin import apps as admin


class WebConfig(AppConfig):
    name = "web"
    default = True


class AdminConfig(admin.AdminConfig):
    """Django's admin with our own site as the default one."""

    default = False
    default_site = "web.admin_site.OperatorSite"
