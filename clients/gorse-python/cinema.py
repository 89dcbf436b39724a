"""What the tests share: the client, and a few films, their viewers and what they watched."""

import json
import os
import unittest
from pathlib import Path

from gorse import Gorse, GorseException

ADDRESS = os.environ["VITRINE_URL"]
MASTER_KEY = os.environ["VITRINE_MASTER_KEY"]
FILMS = json.loads((Path(__file__).parent.parent / "films.json").read_text("utf-8"))
ITEMS = {item["ItemId"]: item for item in FILMS["items"]}
TIME = "2022-11-20T13:55:27Z"


def client(key=MASTER_KEY):
    """A client with a key."""
    return Gorse(ADDRESS, key, timeout=60)


def load():
    """Writes all films, viewers and feedback; again it changes nothing."""
    gorse = client()
    gorse.insert_users(FILMS["users"])
    for item in FILMS["items"]:
        gorse.insert_item(item)
    for feedback in FILMS["feedback"]:
        gorse.delete_feedback(feedback["UserId"], feedback["ItemId"])
    gorse.insert_feedbacks(FILMS["feedback"])


def newest(keep=lambda item: True):
    """The ids of the films that may be shown, the newest first."""
    shown = [item for item in FILMS["items"] if not item["IsHidden"] and keep(item)]
    shown.sort(key=lambda item: item["ItemId"])
    shown.sort(key=lambda item: item["Timestamp"], reverse=True)
    return [item["ItemId"] for item in shown]


def ids(scores):
    """The ids of a list with scores, which must not rise."""
    numbers = [score.id if hasattr(score, "id") else score["Id"] for score in scores]
    values = [score.score if hasattr(score, "score") else score["Score"] for score in scores]
    assert values == sorted(values, reverse=True), values
    return numbers


class CinemaTest(unittest.TestCase):
    """A test with a client and all films."""

    @classmethod
    def setUpClass(cls):
        load()

    def setUp(self):
        self.client = client()

    def refused(self, status, sentence, call, *arguments, **named):
        """Expects the server to refuse a request with a status and plain text."""
        with self.assertRaises(GorseException) as caught:
            call(*arguments, **named)
        error = caught.exception
        self.assertEqual(error.status_code, status, error.message)
        self.assertIn(sentence, error.message)
        self.assertFalse(error.message.startswith("{"), error.message)
