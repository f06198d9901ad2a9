"""The page's scripts and styles: all there, kept for ever under a name that changes with them."""

import re
from pathlib import PurePosixPath

import httpx
import pytest

from soma.interfaces.console.assets import FOR_EVER, contents, root
from tests.interfaces.console.page import read

IMPORT = re.compile(r'^(?:import|export)\b[^"]*? from "([^"]+)";$', re.MULTILINE)
MARKUP_FROM_TEXT = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc"
)
ELSEWHERE = re.compile(r"""(?:["'(]|url\()\s*(?:https?:)?//""")
SVG_NAMESPACE = "http://www.w3.org/2000/svg"
MODULES = sorted(name for name in contents() if name.startswith("soma/") and name.endswith(".js"))


def text(name: str) -> str:
    return contents()[name].decode()


@pytest.mark.req("CHAT-002")
@pytest.mark.parametrize("path", ["/", "/console/login"])
def test_everything_the_page_names_is_served_for_ever(browser: httpx.Client, path: str) -> None:
    answer = browser.get(path) if path == "/" else browser.post(path, data={"token": "wrong"})
    page = read(answer.text)
    named = [element.attributes["src"] for element in page.all("script")]
    named += [element.attributes["href"] for element in page.all("link")]
    assert len(named) >= 4
    for address in named:
        assert address.startswith(f"{root()}/")
        asset = browser.get(address)
        assert (asset.status_code, asset.headers["cache-control"]) == (200, FOR_EVER), address


@pytest.mark.req("CHAT-002")
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("soma/console.js", "text/javascript"),
        ("soma/base.css", "text/css"),
        ("soma/mark.svg", "image/svg+xml"),
        ("django_htmx/htmx-2.min.js", "text/javascript"),
    ],
)
def test_assets_say_what_they_are(anonymous: httpx.Client, name: str, kind: str) -> None:
    answer = anonymous.get(f"{root()}/{name}")
    assert answer.headers["content-type"].split(";")[0] == kind
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.content == contents()[name]


@pytest.mark.req("CHAT-002")
def test_page_of_an_older_version_gets_the_present_assets_and_keeps_none(anonymous: httpx.Client) -> None:
    answer = anonymous.get("/console/assets/0000000000000000/soma/console.js")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")


@pytest.mark.req("CHAT-002")
@pytest.mark.parametrize(
    "name", ["soma/none.js", "soma/", "../settings.py", "..%2f..%2fruntime.py", "soma/../runtime.py"]
)
def test_nothing_else_is_an_asset(anonymous: httpx.Client, name: str) -> None:
    assert anonymous.get(f"{root()}/{name}").status_code == 404


@pytest.mark.req("CHAT-002")
@pytest.mark.parametrize("module", MODULES)
def test_module_is_small_and_imports_what_exists(module: str) -> None:
    assert len(text(module).splitlines()) < 200
    for imported in IMPORT.findall(text(module)):
        assert imported.startswith("./")
        assert str(PurePosixPath(module).parent / imported) in contents(), imported


@pytest.mark.req("CHAT-002")
@pytest.mark.parametrize("module", MODULES)
def test_module_makes_no_markup_of_text(module: str) -> None:
    assert not MARKUP_FROM_TEXT.search(text(module))


@pytest.mark.req("CHAT-002")
@pytest.mark.parametrize("name", sorted(name for name in contents() if name.startswith("soma/")))
def test_nothing_is_fetched_from_elsewhere(name: str) -> None:
    assert not ELSEWHERE.search(text(name).replace(SVG_NAMESPACE, ""))
