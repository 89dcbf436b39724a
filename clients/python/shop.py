"""What the tests share: the client, the products, and an index for each test."""

import json
import os
import unittest
from pathlib import Path

import meilisearch
from meilisearch.errors import MeilisearchApiError

ADDRESS = os.environ["VITRINE_URL"]
MASTER_KEY = os.environ["VITRINE_MASTER_KEY"]
PRODUCTS = json.loads((Path(__file__).parent.parent / "products.json").read_text("utf-8"))
SEARCH_SETTINGS = {
    "searchableAttributes": ["title", "description", "brand", "category"],
    "filterableAttributes": [
        "id", "brand", "category", "tags", "price", "rating", "stock", "color", "family",
        "warehouse", "sizes", "_geo",
    ],
    "sortableAttributes": ["price", "rating", "_geo"],
}


def client(key=MASTER_KEY):
    """A client with a key."""
    return meilisearch.Client(ADDRESS, key, timeout=60)


def ids(hits):
    """The ids of hits, in their order."""
    return [hit["id"] for hit in hits]


def ids_where(predicate):
    """The ids of the products that a plain predicate picks, ascending."""
    return [product["id"] for product in PRODUCTS if predicate(product)]


class ShopTest(unittest.TestCase):
    """A test with a client, and with what tests of tasks and errors need."""

    def setUp(self):
        self.client = client()

    def done(self, enqueued):
        """Waits for a task and expects it to have succeeded."""
        task = self.client.wait_for_task(enqueued.task_uid, 30_000, 20)
        self.assertEqual(task.status, "succeeded", task)
        return task

    def fails(self, enqueued, code):
        """Waits for a task and expects it to have failed with a code."""
        task = self.client.wait_for_task(enqueued.task_uid, 30_000, 20)
        self.assertEqual(task.status, "failed", task)
        self.assertEqual(task.error["code"], code)
        return task

    def refused(self, status, code, call, *arguments, **named):
        """Expects the server to refuse a request with a status and a code."""
        with self.assertRaises(MeilisearchApiError) as caught:
            call(*arguments, **named)
        error = caught.exception
        self.assertEqual((error.status_code, error.code), (status, code), str(error))
        self.assertTrue(error.message and error.link and error.type)

    def index_for(self, uid, settings=None, documents=PRODUCTS):
        """A fresh index with documents, deleted after the test."""
        self.client.delete_index(uid)
        self.addCleanup(self.client.delete_index, uid)
        self.done(self.client.create_index(uid, {"primaryKey": "id"}))
        index = self.client.index(uid)
        if settings is not None:
            self.done(index.update_settings(dict(settings)))
        if documents:
            self.done(index.add_documents(documents))
        return index
