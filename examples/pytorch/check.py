"""Holds PyTorch and Vitrine together: both must give the same scores to 1e-4.

    python check.py --scores PROGRAM [--model FOLDER] [--vitrine PROGRAM --encoder FOLDER]

PROGRAM of --scores is the example `affinity_scores` of the crate `models`. Without --model
a model is made here, in PyTorch, and must load there. With --encoder the vectors of a folder
are compared as well.
"""

import argparse
import json
import pathlib
import random
import subprocess
import tempfile

import affinity
import torch
from encoder import Encoder

CLOSE = 1e-4
TEXTS = ["Heart T-Light Holder", "a red mug for tea", "4 piece bed sheet set, 100 % cotton"]


def made(folder):
    """A model of random weights, as PyTorch would leave it after training."""
    torch.manual_seed(1)
    config = {
        "format": 2,
        "width": 64,
        "heads": 4,
        "layers": 2,
        "candidate_layers": 1,
        "max_history": 20,
        "text_dimensions": 48,
        "items": 90,
        "fields": [{"name": "category", "values": 7}, {"name": "price", "values": 6}],
        "kinds": 8,
        "gaps": 12,
        "quantities": 6,
        "actions": ["view", "cart", "purchase"],
        "calibration": [{"scale": 0.9, "offset": 0.1 * at} for at in range(3)],
        "query_calibration": [{"scale": 0.7, "offset": -0.1 * at} for at in range(3)],
        "queries": True,
        "likeness": {"dimensions": 24, "strength": 3.0, "fading": 0.6},
    }
    model = affinity.Affinity(config)
    affinity.write(model, folder, [f"item-{at}" for at in range(config["items"])])


def question(config, rng, events, has_texts):
    """Something to ask a model: items, a history, candidates."""
    text = lambda: [rng.gauss(0, 1) for _ in range(config["text_dimensions"])]
    vector = lambda: text() if has_texts and config["text_dimensions"] else None
    items = [
        {
            "text": vector(),
            "id": rng.randrange(config["items"]) if rng.random() < 0.9 else None,
            "fields": [rng.randrange(field["values"]) for field in config["fields"]],
        }
        for _ in range(30)
    ]
    event = lambda: {
        "item": rng.randrange(len(items)),
        "kind": rng.randrange(config["kinds"]),
        "gap": rng.randrange(config["gaps"]),
        "quantity": rng.randrange(config["quantities"]),
    }
    return {
        "items": items,
        "events": [event() for _ in range(events)],
        "candidates": [rng.randrange(len(items)) for _ in range(12)],
        "shopper": vector(),
        "query": vector(),
    }


def run(program, *arguments, text):
    done = subprocess.run([program, *arguments], input=text, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{program} failed: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def check_scores(program, folder):
    model = affinity.read(folder)
    rng = random.Random(1)
    asked = [(1, True), (5, False), (60, True)]
    questions = [question(model.config, rng, count, texts) for count, texts in asked]
    lines = "".join(json.dumps(question) + "\n" for question in questions)
    worst = 0.0
    for question_, theirs in zip(questions, run(program, str(folder), text=lines), strict=True):
        with torch.no_grad():
            known = question_.pop("items")
            items = model.items(known)
            probabilities, logits = model(items, **question_)
            if model.config.get("likeness"):
                logits += model.likeness_logits(model.likes(known), question_["events"])
        for ours, name in [(probabilities, "probabilities"), (logits, "next")]:
            other = torch.tensor(theirs[name])
            assert ours.shape == other.shape, (ours.shape, other.shape)
            size = 1 + other.abs().max().item()
            worst = max(worst, (ours - other).abs().max().item() / size)
    assert worst < CLOSE, f"scores differ by {worst}"
    print(f"scores of {folder}: largest difference {worst:.1e}")


def check_encoder(program, folder):
    arguments = ["encode", "--model", str(folder), "--precision", "f32"]
    vectors = run(program, *arguments, text="\n".join(TEXTS) + "\n")
    encoder = Encoder(folder)
    worst = 0.0
    for text, vector in zip(TEXTS, vectors, strict=True):
        worst = max(worst, (encoder.encode(text) - torch.tensor(vector)).abs().max().item())
    assert worst < CLOSE, f"vectors differ by {worst}"
    print(f"vectors of {folder}: largest difference {worst:.1e}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--scores", required=True)
    arguments.add_argument("--model", type=pathlib.Path)
    arguments.add_argument("--vitrine")
    arguments.add_argument("--encoder", type=pathlib.Path)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = given.model
        if folder is None:
            folder = pathlib.Path(place) / "model"
            made(folder)
        check_scores(given.scores, folder)
    if given.encoder:
        check_encoder(given.vitrine, given.encoder)


main()
