"""Django's handle on this tier."""

from django.apps import AppConfig


class AgentConfig(AppConfig):
    """The tier `soma.agent`."""

    name = "soma.agent"
    label = "agent"
