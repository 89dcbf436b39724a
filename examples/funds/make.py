"""Makes the data of this folder: invented funds, invented investors and what they did.

The same seed gives the same files. `python3 make.py` writes them anew.
"""

import csv
import datetime
import json
import random

SEED = 20260131
NOW = datetime.datetime(2026, 1, 31, 18, 0)
HOUSES = ["Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir"]
# What a fund holds, and the risk class from 1 (low) to 7 (high) it has because of that.
KINDS = [
    ("Money Market", "money market", 1, "short-dated treasury bills and deposits"),
    ("Government Bond", "bonds", 2, "bonds of governments with the best ratings"),
    ("Corporate Bond", "bonds", 3, "bonds of large companies"),
    ("Balanced", "mixed", 4, "bonds and shares in equal parts"),
    ("Global Equity", "equity", 5, "shares of large companies all over the world"),
    ("Small Cap Equity", "equity", 6, "shares of small companies"),
    ("Emerging Markets Equity", "equity", 6, "shares of companies in emerging markets"),
    ("Leveraged Technology", "equity", 7, "technology shares, partly with borrowed money"),
]
INVESTORS = 60
STEPS = 18


def funds():
    """Every house has a fund of nearly every kind."""
    made = []
    for house in HOUSES:
        for name, category, risk, holds in KINDS:
            if random.random() < 0.1:
                continue
            launched = NOW - datetime.timedelta(days=random.randint(200, 6000))
            made.append(
                {
                    "id": f"{house[:2].upper()}{len(made):03}",
                    "name": f"{house} {name}",
                    "description": f"The fund holds {holds}.",
                    "category": category,
                    "house": house,
                    "riskClass": risk,
                    "yearlyCost": round(random.uniform(0.05, 0.3) * risk, 2),
                    "launched": launched.date().isoformat(),
                }
            )
    return made


def investors():
    """A class of suitability for each, from 1 to 7; of a few nobody has asked it yet."""
    return [(f"investor-{number:02}", random.choice([1, 2, 2, 3, 3, 4, 5, 5, 6, 7]))
            for number in range(INVESTORS)]


def events(catalogue, people):
    """Investors look at what is near their class, sometimes above it, and buy below it."""
    made = []
    for investor, suitability in people:
        time = NOW - datetime.timedelta(days=random.randint(20, 200))
        favourite = random.choice(["money market", "bonds", "mixed", "equity"])
        for _ in range(random.randint(4, STEPS)):
            time += datetime.timedelta(hours=random.randint(1, 60))
            weights = [
                2.0 ** -abs(fund["riskClass"] - suitability) * (3 if fund["category"] == favourite else 1)
                for fund in catalogue
            ]
            fund = random.choices(catalogue, weights)[0]
            made.append((investor, "view", fund["id"], time, ""))
            if fund["riskClass"] <= suitability and random.random() < 0.35:
                bought = time + datetime.timedelta(minutes=random.randint(2, 40))
                amount = random.choice([50, 100, 250, 1000])
                made.append((investor, "purchase", fund["id"], bought, amount))
    made.sort(key=lambda event: event[3])
    return [event for event in made if event[3] <= NOW]


def main():
    random.seed(SEED)
    catalogue, people = funds(), investors()
    with open("funds.jsonl", "w", encoding="utf-8") as file:
        file.writelines(json.dumps(fund) + "\n" for fund in catalogue)
    with open("investors.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", "suitability"])
        writer.writerows(people[:-4])
    with open("events.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["userId", "kind", "itemId", "time", "price"])
        for investor, kind, fund, time, price in events(catalogue, people):
            writer.writerow([investor, kind, fund, time.isoformat() + "Z", price])


main()
