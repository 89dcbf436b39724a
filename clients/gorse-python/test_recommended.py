"""Recommendations and neighbours, as the Python client of Gorse asks for them."""

import math
import unittest

from gorse import AsyncGorse

from cinema import ADDRESS, FILMS, ITEMS, MASTER_KEY, TIME, CinemaTest, ids, load, newest


def nearest(item):
    """The ids of the films that may be shown by their distance from one."""

    def distance(other):
        return math.dist(ITEMS[item]["Labels"]["embedding"], other["Labels"]["embedding"])

    others = [other for other in FILMS["items"] if other["ItemId"] != item]
    shown = [other for other in others if not other["IsHidden"]]
    return [other["ItemId"] for other in sorted(shown, key=distance)]


class Recommend(CinemaTest):
    def user(self, name):
        """A user who is gone after the test."""
        self.client.insert_user({"UserId": name})
        self.addCleanup(self.client.delete_user, name)
        return name

    def test_a_new_user_gets_what_is_new(self):
        user = self.user("3000")
        recommended = self.client.get_recommend(user, n=3)
        self.assertEqual(ids(recommended), ["315", "1432", "918"])
        self.assertEqual(ids(self.client.get_recommend(user, n=2, offset=1)), ["1432", "918"])
        self.assertEqual(ids(self.client.get_recommend("nobody", n=100)), newest())

    def test_a_category_holds(self):
        drama = newest(lambda item: "Drama" in item["Categories"])
        self.assertEqual(ids(self.client.get_recommend("nobody", "Drama", n=20)), drama)
        self.assertEqual(self.client.get_recommend("nobody", "No such category"), [])

    def test_what_was_seen_does_not_come_again(self):
        user = self.user("3001")
        self.client.insert_feedback("watch", user, "1", TIME, 1.0)
        everything = ids(self.client.get_recommend(user, n=100))
        self.assertNotIn("1", everything)
        self.assertEqual(sorted(everything), sorted(id for id in newest() if id != "1"))
        self.client.delete_feedback(user, "1")
        self.assertIn("1", ids(self.client.get_recommend(user, n=100)))

    def test_a_hidden_film_is_gone_at_once(self):
        self.addCleanup(self.client.insert_item, ITEMS["315"])
        self.client.update_item("315", is_hidden=True)
        self.assertNotIn("315", ids(self.client.get_recommend("nobody", n=100)))
        self.assertNotIn("315", ids(self.client.get_neighbors("100", n=100)))
        self.client.update_item("315", is_hidden=False)
        self.assertEqual(ids(self.client.get_recommend("nobody", n=1)), ["315"])

    def test_what_was_shown_can_be_noted(self):
        user = self.user("3002")
        first = ids(self.client.get_recommend(user, n=2, write_back_type="read"))
        second = ids(self.client.get_recommend(user, n=2))
        self.assertFalse(set(first) & set(second))
        noted = self.client.list_feedbacks("read", user)
        self.assertEqual({feedback["ItemId"] for feedback in noted}, set(first))
        # With a delay it may come again until then.
        for _ in range(2):
            again = self.client.get_recommend(
                user, n=2, write_back_type="read", write_back_delay="10m"
            )
            self.assertEqual(ids(again), second)

    def test_neighbours_are_the_nearest(self):
        self.assertEqual(ids(self.client.get_neighbors("1", 3)), ["1060", "404", "1219"])
        for item in ("1", "100", "gorse:1"):
            with self.subTest(item):
                self.assertEqual(ids(self.client.get_neighbors(item, 100)), nearest(item))
        self.assertEqual(ids(self.client.get_neighbors("1", 2, 1)), ["404", "1219"])
        self.assertEqual(self.client.get_neighbors("no such item"), [])

    def test_neighbours_without_vectors_are_those_of_the_same_users(self):
        for name in ("plain-1", "plain-2", "plain-3"):
            self.client.insert_item({"ItemId": name, "Timestamp": "1980-01-01T00:00:00Z"})
            self.addCleanup(self.client.delete_item, name)
        for name in ("3003", "3004"):
            for item in ("plain-1", "plain-2"):
                self.client.insert_feedback("like", self.user(name), item, TIME)
        self.assertEqual(ids(self.client.get_neighbors("plain-1")), ["plain-2"])

    def test_a_session_leads_to_what_is_like_it(self):
        feedbacks = [
            {"FeedbackType": "like", "UserId": "0", "ItemId": item, "Timestamp": TIME}
            for item in ("1", "1060")
        ]
        recommended = ids(self.client.session_recommend(feedbacks, 3))
        self.assertEqual(len(recommended), 3)
        self.assertFalse({"1", "1060", "hidden"} & set(recommended))

    def test_a_like_changes_the_next_answer(self):
        user = self.user("3005")
        self.assertEqual(ids(self.client.get_recommend(user, n=3)), newest()[:3])
        self.client.insert_feedback("like", user, "10", TIME)
        recommended = ids(self.client.get_recommend(user, n=3))
        self.assertNotEqual(recommended, newest()[:3])
        self.assertNotIn("10", recommended)


class Asynchronous(unittest.IsolatedAsyncioTestCase):
    async def test_the_asynchronous_client_says_the_same(self):
        load()
        client = AsyncGorse(ADDRESS, MASTER_KEY)
        users, cursor = await client.get_users(3)
        self.assertEqual(users, FILMS["users"][:3])
        self.assertTrue(cursor)
        self.assertEqual(await client.get_item("1"), ITEMS["1"])
        self.assertEqual(ids(await client.get_recommend("nobody", n=3)), ["315", "1432", "918"])
        self.assertEqual(ids(await client.get_neighbors("1", 3)), ["1060", "404", "1219"])
        written = await client.insert_feedback("watch", "4000", "1", TIME)
        self.assertEqual(written, {"RowAffected": 1})
        self.assertEqual(len(await client.list_feedbacks("watch", "4000")), 1)
        self.assertEqual(await client.delete_user("4000"), {"RowAffected": 1})
