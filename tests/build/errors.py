"""Each error has its heading in the documentation, and each heading an error: errors.py SOURCE_DIRECTORY.

Reads `enum class errc` and docs/errors.md. Prints what is not so; status 1 then.
"""

import pathlib
import re
import sys

source = pathlib.Path(sys.argv[1])
body = re.search(r"enum class errc \{(.*?)\};", (source / "include/sonde/error.hpp").read_text(), re.DOTALL).group(1)
errors = re.findall(r"^\s*(\w+)\b", re.sub(r"//.*", "", body), re.MULTILINE)
headings = re.findall(r"^## (\w+)$", (source / "docs/errors.md").read_text(), re.MULTILINE)
wrong = [f"docs/errors.md: no heading for errc::{e}" for e in errors if e not in headings]
wrong += [f"docs/errors.md: {h} is no errc" for h in headings if h not in errors]
print("\n".join([*wrong, f"{len(errors)} errors, {len(wrong)} wrong"]))
sys.exit(1 if wrong or not errors else 0)
