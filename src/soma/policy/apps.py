"""Django's handle on this tier."""

from django.apps import AppConfig


class PolicyConfig(AppConfig):
    """The tier `soma.policy`."""

    name = "soma.policy"
    label = "policy"
