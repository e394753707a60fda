"""A Markdown page as Doxygen reads it: filter.py PAGE, to stdout.

Pages get an identity, by which links find them: two may have the same file name. Links to files that are no pages go to copies
of them below files/ (docs/build.sh makes those); links to directories become text. The language of a block of code is told
without the file that it is quoted from.
"""

import os
import pathlib
import re
import sys

docs = pathlib.Path(__file__).resolve().parent.parent
source = docs.parent
page = pathlib.Path(sys.argv[1]).resolve()


def identity(path):
    return "page_" + re.sub(r"\W", "_", str(path.relative_to(docs).with_suffix("")))


def link(match):
    text, target = match.groups()
    if re.match(r"\w+:|#", target):
        return match.group(0)
    path = pathlib.Path(os.path.normpath(page.parent / target.partition("#")[0]))
    anchor = target.partition("#")[2]
    if path.suffix == ".md" and docs in path.parents:
        return f"[{text}](@ref {anchor or identity(path)})"
    if path.is_file():
        return f"[{text}](files/{path.relative_to(source)}.txt)"
    return text


def line_of(text):
    if text.startswith("```"):
        language = {"c++": "cpp", "": "", "sh": "sh", "cmake": "cmake", "yaml": "yaml"}
        first = text[3:].split(" ")[0]
        return "```" + language.get(first, first)
    return re.sub(r"\[([^\]\n]*)\]\(([^)\s]+)\)", link, text)


lines = page.read_text().split("\n")
in_code = False
first = True
for number, text in enumerate(lines):
    if text.startswith("```"):
        in_code = not in_code
        lines[number] = line_of(text)
    elif not in_code:
        lines[number] = line_of(text)
        if re.match(r"# ", text) and first:
            first = False
            lines[number] += f" {{#{identity(page)}}}" if page != docs / "README.md" else ""
        elif page.name == "errors.md" and text.startswith("## "):
            lines[number] += f" {{#{text[3:]}}}"
        elif text.startswith("#"):  # below the page's title
            lines[number] = "#" + lines[number] if not text.startswith("##") else lines[number]
print("\n".join(lines))
