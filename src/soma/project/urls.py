"""Every address: the console's pages, then the API."""

from django.urls import include, path

from soma.interfaces.http.gateway import api

urlpatterns = [path("", include("soma.interfaces.console.urls")), path("", api.urls)]

handler400 = "soma.interfaces.http.failures.bad_request"
handler403 = "soma.interfaces.http.failures.forbidden"
handler404 = "soma.interfaces.http.failures.not_found"
handler500 = "soma.interfaces.http.failures.internal_error"
