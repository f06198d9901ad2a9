"""Django's handle on this tier."""

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    """The tier `soma.identity`."""

    name = "soma.identity"
    label = "identity"
