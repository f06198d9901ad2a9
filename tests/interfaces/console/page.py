"""Reading a page as a browser does: its elements, and what of it could run."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(frozen=True, kw_only=True, slots=True)
class Element:
    """A start tag."""

    tag: str
    attributes: dict[str, str]


@dataclass(slots=True)
class Page:
    """A page's elements in order, and its text."""

    elements: list[Element] = field(default_factory=list)
    text: str = ""

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """The elements called `tag` that have these attributes."""
        return [
            element
            for element in self.elements
            if element.tag == tag and attributes.items() <= element.attributes.items()
        ]

    def with_attribute(self, name: str) -> list[Element]:
        """The elements that have the attribute."""
        return [element for element in self.elements if name in element.attributes]

    def inline_code(self) -> list[Element]:
        """What a page without inline code has none of: scripts and styles in the page, handlers."""
        scripts = [element for element in self.all("script") if "src" not in element.attributes]
        handlers = [
            element for element in self.elements if any(name.startswith("on") for name in element.attributes)
        ]
        return scripts + handlers + self.all("style") + self.with_attribute("style")


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.page.elements.append(Element(tag=tag, attributes=attributes))

    def handle_data(self, data: str) -> None:
        self.page.text += data


def read(html: str) -> Page:
    """The page that `html` spells."""
    parser = _Parser()
    parser.feed(html)
    parser.close()
    return parser.page
