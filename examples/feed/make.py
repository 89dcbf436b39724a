"""Makes the data of this folder: invented posts, invented readers and what they did.

The same seed gives the same files. `python3 make.py` writes them anew.
"""

import csv
import datetime
import json
import random

SEED = 20260131
NOW = datetime.datetime(2026, 1, 31, 18, 0)
TOPICS = {
    "cycling": ["a climb in the rain", "new tyres", "the slow lane", "a tour along the river"],
    "bread": ["a sourdough that rose", "rye from the mill", "an oven too hot", "flat loaves"],
    "chess": ["a lost endgame", "the opening nobody plays", "blitz on a train", "a draw at last"],
    "gardens": ["tomatoes in January", "a pond for frogs", "pruning roses", "moles again"],
    "astronomy": ["Jupiter through fog", "a comet at dawn", "a mirror ground by hand", "dark skies"],
}
OPENINGS = ["Notes on", "Once more:", "What I learnt from", "In praise of", "Against"]
AUTHORS = ["ines", "jonas", "mei", "omar", "petra", "ravi"]
POSTS, READERS, DAYS = 180, 50, 14


def posts():
    """Posts over two weeks, evenly."""
    made = []
    for number in range(POSTS):
        topic = random.choice(list(TOPICS))
        about = random.choice(TOPICS[topic])
        author = random.choice(AUTHORS)
        age = datetime.timedelta(hours=DAYS * 24 * (1 - number / POSTS))
        made.append(
            {
                "id": f"post-{number:03}",
                "title": f"{random.choice(OPENINGS)} {about}",
                "body": f"A post about {topic}: {about}, told by {author}.",
                "topic": topic,
                "author": author,
                "createdAt": (NOW - age).isoformat(timespec="seconds") + "Z",
            }
        )
    return made


def events(feed):
    """Readers read what is new when they come by, and like what is of their topics."""
    made = []
    tastes = {
        f"reader-{number:02}": random.sample(list(TOPICS), 2) for number in range(READERS)
    }
    for hour in range(24, DAYS * 24, 2):
        time = NOW - datetime.timedelta(hours=DAYS * 24 - hour)
        there = [post for post in feed if post["createdAt"] <= time.isoformat() + "Z"][-30:]
        for reader in random.sample(list(tastes), 6):
            if not there:
                continue
            weights = [4 if post["topic"] in tastes[reader] else 1 for post in there]
            post = random.choices(there, weights)[0]
            moment = time + datetime.timedelta(minutes=random.randint(0, 100))
            made.append((reader, "view", post["id"], moment))
            if post["topic"] in tastes[reader] and random.random() < 0.4:
                made.append((reader, "like", post["id"], moment + datetime.timedelta(minutes=1)))
    made.sort(key=lambda event: event[3])
    return [event for event in made if event[3] <= NOW]


def main():
    random.seed(SEED)
    feed = posts()
    with open("posts.jsonl", "w", encoding="utf-8") as file:
        file.writelines(json.dumps(post) + "\n" for post in feed)
    with open("events.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["userId", "kind", "itemId", "time"])
        for reader, kind, post, time in events(feed):
            writer.writerow([reader, kind, post, time.isoformat() + "Z"])


main()
