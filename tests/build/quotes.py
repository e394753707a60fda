"""Code in the documentation is quoted from files that are compiled: quotes.py SOURCE_DIRECTORY.

A block that begins with ```cpp file:PATH (or ```cmake file:PATH) must be found in that file, line for line. Each block of C++ in
README.md and docs must name its file, but for design pages; what is another library's code stands in ```c++. Prints what is not
so; status 1 then.
"""

import pathlib
import re
import sys

source = pathlib.Path(sys.argv[1])
blocks = wrong = 0
for page in [source / "README.md", *sorted((source / "docs").rglob("*.md"))]:
    text = page.read_text()
    for match in re.finditer(r"^```(cpp|cmake)\b[ ]*(.*?)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        where = f"{page.relative_to(source)}:{text.count(chr(10), 0, match.start()) + 1}"
        language, mark, code = match.groups()
        if not mark.startswith("file:"):
            if language == "cpp" and "design" not in page.parts:
                wrong += 1
                print(f"{where}: C++ that names no file: ```cpp file:PATH")
            continue
        blocks += 1
        file = source / mark.removeprefix("file:").strip()
        if not file.is_file():
            wrong += 1
            print(f"{where}: no file {file}")
        elif "\n" + code not in "\n" + file.read_text():
            wrong += 1
            print(f"{where}: not in {file.relative_to(source)} as it is quoted")
print(f"{blocks} quotations, {wrong} wrong")
sys.exit(1 if wrong or not blocks else 0)
