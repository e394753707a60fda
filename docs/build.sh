#!/bin/sh
# Makes the site: docs/build.sh [DIRECTORY], build/site unless given. Needs doxygen and python3; Debian's
# doxygen-awesome-css makes it look well. Every warning is an error, and so is a link that leads nowhere.
set -eu
cd "$(dirname "$0")/.."

command -v doxygen >/dev/null || { echo 'docs/build.sh: needs doxygen: sudo apt-get install doxygen doxygen-awesome-css' >&2; exit 3; }
SONDE_SITE=${1:-build/site}
SONDE_VERSION=$(sed -nE 's/^project\(sonde VERSION ([0-9.]+).*/\1/p' CMakeLists.txt)
SONDE_STYLE=
for sheet in doxygen-awesome.css doxygen-awesome-sidebar-only.css; do
    [ ! -e "/usr/share/doxygen-awesome-css/$sheet" ] || SONDE_STYLE="$SONDE_STYLE /usr/share/doxygen-awesome-css/$sheet"
done
export SONDE_SITE SONDE_VERSION SONDE_STYLE

mkdir -p "$SONDE_SITE"
doxygen docs/Doxyfile
# Doxygen 1.9 links to a list of nested classes also where all of them are private, and the list is not there.
for page in $(grep -l 'href="#nested-classes"' "$SONDE_SITE"/*.html); do
    grep -q 'name="nested-classes"' "$page" || sed -i 's/<a href="#nested-classes">Classes<\/a> &#124;//' "$page"
done
# What pages link to beside other pages, as text that browsers show.
grep -ohE 'href="files/[^"]+\.txt"' "$SONDE_SITE"/*.html | sed -E 's/href="files\/(.*)\.txt"/\1/' | sort -u |
    while IFS= read -r file; do
        mkdir -p "$SONDE_SITE/files/$(dirname "$file")"
        cp "$file" "$SONDE_SITE/files/$file.txt"
    done
python3 -B docs/site/links.py "$SONDE_SITE"
