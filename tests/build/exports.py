"""What a shared library exports: exports.py LIBRARY SOURCE_DIRECTORY. A static library holds the objects that a shared one is
made of, so it is judged as well. Prints what should not be exported; status 1 then.
"""

import pathlib
import re
import subprocess
import sys

library, source = sys.argv[1], pathlib.Path(sys.argv[2])


def exported():
    """Binding and demangled name of each symbol that is defined and not hidden. Names have no parameters: any of them may
    be a private class."""
    table = subprocess.run(["readelf", "--symbols", "--wide", library], check=True, capture_output=True, text=True).stdout
    found = set()
    for line in table.splitlines():
        words = line.split()
        if len(words) == 8 and words[3] != "NOTYPE" and words[4] != "LOCAL" and words[5] == "DEFAULT" and words[6] != "UND":
            found.add((words[4], words[7]))
    found = sorted(found)
    plain = subprocess.run(["c++filt", "--no-params"], input="\n".join(name for _, name in found), check=True,
                           capture_output=True, text=True).stdout.splitlines()
    return [(binding, name) for (binding, _), name in zip(found, plain, strict=True)]


def names(top, pattern):
    """What a pattern finds in the headers of a directory."""
    return {name for file in (source / top).rglob("*.hpp") for name in re.findall(pattern, file.read_text(), re.M)}


# What src/ alone defines, and what public headers announce of it.
definition = r"^(?:class|struct) (\w+) (?:[{:]|final)"
private = names("src", definition) - names("include", definition) | names("include", r"SONDE_PRIVATE (\w+);")
of = r"(?:(?:vtable|VTT|typeinfo|typeinfo name|guard variable) for |(?:non-)?virtual thunk to )?"
ours = re.compile(of + r"(?:sonde::v0::|fmt::(?:v\d+::)?formatter<sonde::v0::)")
# Its members, and what the compiler makes of it; a function of a public class may have the same name.
path = rf"sonde::v0::(?:\w+::)*(?:{'|'.join(sorted(private))})"
hidden = re.compile(rf"(?:{of}{path}::|.* for {path}$)")

symbols = exported()
wrong = [f"{name} is not of sonde::v0" for binding, name in symbols if binding == "GLOBAL" and not ours.match(name)]
wrong += [f"{name} is of a class that src/ alone has" for _, name in symbols if hidden.match(name)]
# A few, of each kind; else all could be hidden.
needed = (r"sonde::v0::network::network", r"sonde::v0::sonde_category", r"typeinfo for sonde::v0::error",
          r"sonde::v0::tools::ping::ping", r"fmt::(v\d+::)?formatter<sonde::v0::packet,.*>::format")
missing = [name for name in needed if not any(re.match(name, symbol) for _, symbol in symbols)]
wrong += [f"{name} is not exported" for name in missing]
print("\n".join(wrong), end="\n" if wrong else "")
print(f"{len(symbols)} symbols; {len(private)} private classes")
sys.exit(bool(wrong))
