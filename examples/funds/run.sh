#!/bin/sh
# Loads the funds, serves them, and asks for a cautious investor, a bold one, and one whose
# class nobody knows. VITRINE is the program to run, DATA the folder to use; both may be left
# out.
set -eu
cd "$(dirname "$0")"
vitrine=${VITRINE:-vitrine}
work=$(mktemp -d)
data=${DATA:-$work/data}
server=
trap 'test -z "$server" || { kill "$server"; wait "$server" || true; }; rm -rf "$work"' EXIT

"$vitrine" ingest --data "$data" --index funds --primary-key id funds.jsonl >&2
"$vitrine" settings --data "$data" --index funds "$(cat settings.json)" >&2
"$vitrine" events --data "$data" --index funds events.csv >&2

"$vitrine" serve --data "$data" --listen 127.0.0.1:0 --json > "$work/address" &
server=$!
until grep -q address "$work/address"; do
    kill -0 "$server"
    sleep 0.1
done
url=$(sed 's/.*"address":"\([^"]*\)".*/\1/' "$work/address")/indexes/funds
json='Content-Type: application/json'

# What the adviser has found out of each investor.
tail -n +2 investors.csv | while IFS=, read -r id class; do
    curl -sSf -o "$work/answer" -X PUT "$url/users/$id" -H "$json" -d "{\"suitability\": $class}"
done

# A question and its answer, a line each.
ask() {
    echo "# $1"
    curl -sSf "$url/$2" -H "$json" -d "$3"
    echo
}

class() {
    curl -sSf -o "$work/answer" -X PUT "$url/users/$1" -H "$json" -d "{\"suitability\": $2}"
}

class cautious 2
class bold 7
ask 'what is popular, for a cautious investor' recommend \
    '{"kind": "popular", "userId": "cautious", "limit": 8, "explain": true}'
ask 'the same for a bold one' recommend '{"kind": "popular", "userId": "bold", "limit": 8}'
ask 'equity, searched by the cautious one' search \
    '{"q": "equity", "personalize": {"userId": "cautious"}}'
ask 'the same by the bold one' search '{"q": "equity", "personalize": {"userId": "bold"}}'
ask 'for an investor whose class nobody knows' recommend \
    '{"kind": "popular", "userId": "investor-59"}'
class cautious 5
ask 'equity again, after the cautious one was advised anew' search \
    '{"q": "equity", "personalize": {"userId": "cautious"}}'
