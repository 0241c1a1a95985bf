"""Reads an HTML report as a browser would, for the tests of the report."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

_VOID = {"meta", "link", "br", "img", "input", "hr"}
_ARGS = re.compile(r"^window\.templateArgs = (\{.*\})$", re.MULTILINE)
_THEME = re.compile(r'^window\.theme = "(\w*)"$', re.MULTILINE)


@dataclass
class Element:
    """An element with what is in it; ``text`` is its own and that of all elements in it."""

    tag: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """All elements below this one with this tag, and with words in these attributes."""
        found = []
        for child in self.children:
            words = {name: child.attributes.get(name.rstrip("_"), "").split() for name in attributes}
            if child.tag == tag and all(value in words[name] for name, value in attributes.items()):
                found.append(child)
            found += child.all(tag, **attributes)
        return found

    def one(self, tag: str, **attributes: str) -> Element:
        """The only element of this kind."""
        (found,) = self.all(tag, **attributes)
        return found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("document", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute of {tag} twice"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> in <{self.open[-1].tag}>, line {self.getpos()[0]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data


class Report:
    """A report that has been read; fails for elements that are not closed or cross each other."""

    def __init__(self, html: str) -> None:
        self.html = html
        reader = _Reader()
        reader.feed(html)
        reader.close()
        assert len(reader.open) == 1, f"not closed: {reader.open[-1].tag}"
        self.document = reader.open[0]
        scripts = "\n".join(script.text for script in self.document.all("script"))
        self.args: dict[str, Any] = json.loads(_ARGS.findall(scripts)[0])
        self.theme = _THEME.findall(scripts)[0]

    def section(self, title: str) -> Element:
        """The section below this heading."""
        (found,) = [s for s in self.document.all("section") if any(h.text == title for h in s.all("h2"))]
        return found

    def has_section(self, title: str) -> bool:
        return title in [heading.text for heading in self.document.all("h2")]

    def rows(self, title: str) -> list[list[str]]:
        """The texts of the table in that section, the headings first."""
        return [
            [cell.text.strip() for cell in row.children if cell.tag in ("td", "th")]
            for row in self.section(title).all("tr")
        ]
