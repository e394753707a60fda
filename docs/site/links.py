"""Every link of a site leads somewhere: links.py DIRECTORY. Looks at files and anchors, asks no network; status 1 when one does not."""

import html.parser
import pathlib
import sys
import urllib.parse

site = pathlib.Path(sys.argv[1]).resolve()


class Page(html.parser.HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.links, self.anchors = [], set()
        self.feed(path.read_text(errors="replace"))

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.anchors |= {named[key] for key in ("id", "name") if named.get(key)}
        self.links += [named[key] for key in ("href", "src") if named.get(key)]


pages = {path: Page(path) for path in sorted(site.rglob("*.html"))}
links, wrong = 0, set()
for path, page in pages.items():
    for link in page.links:
        parts = urllib.parse.urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        links += 1
        target = (path.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else path
        anchor = urllib.parse.unquote(parts.fragment)
        if not target.exists():
            wrong.add(f"{path.name}: no file {link}")
        elif anchor and target in pages and anchor not in pages[target].anchors:
            wrong.add(f"{path.name}: no anchor {link}")
print("\n".join([*sorted(wrong), f"{len(pages)} pages, {links} links, {len(wrong)} wrong"]))
sys.exit(1 if wrong or not links else 0)
