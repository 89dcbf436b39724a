"""Users, items and feedback, as the Python client of Gorse writes and reads them."""

from cinema import FILMS, ITEMS, TIME, CinemaTest, client


class Users(CinemaTest):
    def test_a_user_reads_back_and_goes(self):
        user = {
            "UserId": "1000",
            "Labels": {"gender": "M", "occupation": "engineer"},
            "Comment": "zhenghaoz",
        }
        self.assertEqual(self.client.insert_user(user), {"RowAffected": 1})
        self.assertEqual(self.client.get_user("1000"), user)
        self.assertEqual(self.client.delete_user("1000"), {"RowAffected": 1})
        self.refused(404, "1000: user not found", self.client.get_user, "1000")

    def test_the_least_and_the_most_of_a_user(self):
        self.client.insert_user({"UserId": "least"})
        self.addCleanup(self.client.delete_user, "least")
        least = {"UserId": "least", "Labels": None, "Comment": ""}
        self.assertEqual(self.client.get_user("least"), least)
        most = {"UserId": "least", "Labels": ["a", "b"], "Comment": "客户", "Subscribe": ["d"]}
        self.client.insert_user(most)
        self.assertEqual(self.client.get_user("least"), most)

    def test_users_are_listed_page_by_page(self):
        first, cursor = self.client.get_users(3)
        self.assertEqual(first, FILMS["users"][:3])
        self.assertTrue(cursor)
        rest, cursor = self.client.get_users(1000, cursor)
        self.assertIn(FILMS["users"][3], rest)
        self.assertEqual(cursor, "")


class Items(CinemaTest):
    def test_an_item_reads_back_changes_and_goes(self):
        item = {
            "ItemId": "2000",
            "IsHidden": True,
            "Labels": {"embedding": [0.1, 0.2, 0.3]},
            "Categories": ["Comedy", "Animation"],
            "Timestamp": TIME,
            "Comment": "Minions (2015)",
        }
        self.assertEqual(self.client.insert_item(item), {"RowAffected": 1})
        self.assertEqual(self.client.get_item("2000"), item)
        changed = self.client.update_item("2000", comment="小黄人 (2015)", labels=["x"])
        self.assertEqual(changed, {"RowAffected": 1})
        expected = {**item, "Comment": "小黄人 (2015)", "Labels": ["x"]}
        self.assertEqual(self.client.get_item("2000"), expected)
        self.assertEqual(self.client.delete_item("2000"), {"RowAffected": 1})
        self.refused(404, "2000: item not found", self.client.get_item, "2000")
        self.refused(404, "2000: item not found", self.client.update_item, "2000", comment="x")

    def test_items_are_listed_page_by_page(self):
        listed, cursor = [], ""
        while True:
            page, cursor = self.client.get_items(5, cursor)
            listed += page
            if not cursor:
                break
            self.assertEqual(len(page), 5)
        self.assertEqual(len(listed), len(ITEMS))
        for item in listed:
            self.assertEqual(item, ITEMS[item["ItemId"]])
        plain = [item["ItemId"] for item in listed if item["ItemId"].isalnum()]
        self.assertEqual(plain, sorted(plain))

    def test_items_are_found_by_their_words(self):
        found = self.client.search_items("pinocchio", 5)
        self.assertEqual({item["ItemId"] for item in found}, {"404", "1060"})
        self.assertEqual(found[0], ITEMS[found[0]["ItemId"]])
        self.assertEqual(self.client.search_items("pinocchio", 1), found[:1])


class Feedback(CinemaTest):
    def feedback(self, item, value, **more):
        return {
            "FeedbackType": "watch",
            "UserId": "2000",
            "ItemId": item,
            "Value": value,
            "Timestamp": TIME,
            "Comment": "",
            **more,
        }

    def setUp(self):
        super().setUp()
        self.addCleanup(self.client.delete_user, "2000")
        self.client.insert_user({"UserId": "2000"})

    def test_feedback_reads_back_and_goes(self):
        given = [self.feedback("1", 1.0), self.feedback("1060", 2.0), self.feedback("11", 3.0)]
        self.assertEqual(self.client.insert_feedbacks(given), {"RowAffected": 3})
        self.assertEqual(self.client.list_feedbacks("watch", "2000"), given)
        self.assertEqual(self.client.list_feedbacks("like", "2000"), [])
        self.assertEqual(self.client.delete_feedback("2000", "1"), {"RowAffected": 1})
        self.assertEqual(self.client.delete_feedback("2000", "1"), {"RowAffected": 0})
        self.assertEqual(self.client.list_feedbacks("watch", "2000"), given[1:])

    def test_values_add_up(self):
        for value in (1.0, 2.5):
            self.client.insert_feedback("a word of our own", "2000", "1", TIME, value)
        self.client.insert_feedback("watch", "2000", "1", TIME)
        expected = self.feedback("1", 3.5, FeedbackType="a word of our own")
        self.assertEqual(self.client.list_feedbacks("a word of our own", "2000"), [expected])
        self.assertEqual(self.client.delete_feedback("2000", "1"), {"RowAffected": 2})

    def test_feedback_is_listed_page_by_page(self):
        listed, cursor = [], ""
        while True:
            page, cursor = self.client.get_feedbacks(4, cursor)
            listed += page
            if not cursor:
                break
        for feedback in FILMS["feedback"]:
            self.assertIn(feedback, listed)

    def test_users_and_items_that_only_feedback_names_are_there(self):
        self.addCleanup(self.client.delete_item, "unheard-of")
        self.addCleanup(self.client.delete_user, "3000")
        self.client.insert_feedback("read", "3000", "unheard-of", TIME)
        self.assertEqual(self.client.get_user("3000")["UserId"], "3000")
        item = self.client.get_item("unheard-of")
        self.assertEqual((item["ItemId"], item["IsHidden"]), ("unheard-of", False))
        self.client.delete_item("unheard-of")
        self.assertEqual(self.client.list_feedbacks("read", "3000"), [])

    def test_what_cannot_be_read_is_refused_with_a_sentence(self):
        for wrong, sentence in [
            ({"Timestamp": "soon"}, "not a time"),
            ({"ItemId": ""}, "item id"),
            ({"UserId": "a\nb"}, "user id"),
            ({"FeedbackType": ""}, "kind of feedback"),
            ({"Value": "much"}, "invalid type"),
        ]:
            with self.subTest(wrong):
                feedback = {**self.feedback("1", 1.0), **wrong}
                self.refused(400, sentence, self.client.insert_feedbacks, [feedback])


class Access(CinemaTest):
    def test_another_key_is_refused(self):
        self.refused(401, "key", client("zhenghaoz").get_user, "1")
