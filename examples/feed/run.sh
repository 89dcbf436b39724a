#!/bin/sh
# Loads the posts, serves them, and asks what is worth reading with and without freshness.
# VITRINE is the program to run, DATA the folder to use; both may be left out.
set -eu
cd "$(dirname "$0")"
vitrine=${VITRINE:-vitrine}
work=$(mktemp -d)
data=${DATA:-$work/data}
server=
trap 'test -z "$server" || { kill "$server"; wait "$server" || true; }; rm -rf "$work"' EXIT

"$vitrine" ingest --data "$data" --index feed --primary-key id posts.jsonl >&2
"$vitrine" settings --data "$data" --index feed "$(cat settings.json)" >&2
"$vitrine" events --data "$data" --index feed events.csv >&2

"$vitrine" serve --data "$data" --listen 127.0.0.1:0 --json > "$work/address" &
server=$!
until grep -q address "$work/address"; do
    kill -0 "$server"
    sleep 0.1
done
url=$(sed 's/.*"address":"\([^"]*\)".*/\1/' "$work/address")/indexes/feed
json='Content-Type: application/json'

# A question and its answer, a line each.
ask() {
    echo "# $1"
    curl -sSf "$url/$2" -H "$json" -d "$3"
    echo
}

ask 'what is read most, and new' recommend '{"kind": "popular", "limit": 10, "explain": true}'
ask 'for a reader' recommend '{"kind": "for-you", "userId": "reader-07", "limit": 10}'
ask 'a reader dislikes a post' events \
    '{"userId": "reader-07", "kind": "dislike", "itemId": "post-179", "time": "2026-01-31T18:00:00Z"}'
ask 'what is read most, for that reader' recommend \
    '{"kind": "popular", "userId": "reader-07", "limit": 200}'
"$vitrine" settings --data "$data" --index feed '{"freshness": null}' >&2
ask 'what is read most, of any age' recommend '{"kind": "popular", "limit": 10}'
