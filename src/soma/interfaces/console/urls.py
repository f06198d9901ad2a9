"""The console's addresses."""

from django.urls import path

from soma.interfaces.console import assets, pages, session

urlpatterns = [
    path("", pages.console),
    path("console/assets/<str:named>/<path:name>", assets.asset),
    path("console/login", session.login),
    path("console/logout", session.logout),
    path("console/conversations", pages.conversations),
    path("console/conversations/<uuid:conversation_id>", pages.conversation),
]
