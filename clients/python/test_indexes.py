"""Indexes and what is told of the server."""

import unittest
from datetime import datetime

from shop import PRODUCTS, ShopTest


class Indexes(ShopTest):
    def test_an_index_is_made_shown_changed_and_deleted(self):
        self.client.delete_index("py-made")
        enqueued = self.client.create_index("py-made", {"primaryKey": "sku"})
        self.assertEqual((enqueued.index_uid, enqueued.status, enqueued.type),
                         ("py-made", "enqueued", "indexCreation"))
        self.assertIsInstance(enqueued.enqueued_at, datetime)
        self.done(enqueued)
        index = self.client.get_index("py-made")
        self.assertEqual((index.uid, index.primary_key), ("py-made", "sku"))
        self.assertIsInstance(index.created_at, datetime)
        self.done(index.update(primary_key="id"))
        self.assertEqual(index.get_primary_key(), "id")
        self.assertEqual(self.client.get_raw_index("py-made")["primaryKey"], "id")
        self.done(index.delete())
        self.refused(404, "index_not_found", self.client.get_index, "py-made")

    def test_an_index_is_renamed(self):
        index = self.index_for("py-old", documents=[{"id": 1}])
        self.client.delete_index("py-new")
        self.addCleanup(self.client.delete_index, "py-new")
        self.done(index.update(new_uid="py-new"))
        self.assertEqual(self.client.index("py-new").get_documents().total, 1)

    def test_indexes_are_listed(self):
        for uid in ("py-list-b", "py-list-a"):
            self.index_for(uid, documents=[])
        listed = self.client.get_indexes({"limit": 1000})
        uids = [index.uid for index in listed["results"] if index.uid.startswith("py-list-")]
        self.assertEqual(uids, ["py-list-a", "py-list-b"])
        page = self.client.get_raw_indexes({"limit": 1, "offset": 1})
        self.assertEqual((len(page["results"]), page["offset"]), (1, 1))

    def test_statistics(self):
        index = self.index_for("py-counted")
        stats = index.get_stats()
        self.assertEqual(stats.number_of_documents, len(PRODUCTS))
        self.assertFalse(stats.is_indexing)
        self.assertEqual(stats.field_distribution.title, len(PRODUCTS))
        every = self.client.get_all_stats()
        self.assertIn("py-counted", every["indexes"])
        self.assertGreater(every["databaseSize"], 0)

    def test_statistics_with_sizes(self):
        index = self.index_for("py-sizes")
        stats = index.get_stats(show_internal_database_sizes=True, size_format="human")
        self.assertEqual(stats.number_of_documents, len(PRODUCTS))

    def test_health_and_version(self):
        self.assertEqual(self.client.health(), {"status": "available"})
        self.assertTrue(self.client.is_healthy())
        self.assertEqual(sorted(self.client.version()), ["commitDate", "commitSha", "pkgVersion"])

    def test_wrong_names_are_refused(self):
        self.refused(400, "invalid_index_uid", self.client.create_index, "no spaces")
        self.refused(404, "index_not_found", self.client.get_index, "nowhere")
