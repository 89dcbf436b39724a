"""Documents: added in three formats, changed, listed and deleted."""

import unittest
import warnings
from json import JSONEncoder, dumps

from shop import PRODUCTS, SEARCH_SETTINGS, ShopTest, ids_where


class Documents(ShopTest):
    def test_documents_come_back_as_they_were_given(self):
        index = self.index_for("py-given")
        document = index.get_document(5)
        self.assertEqual(dict(document), PRODUCTS[4])
        self.assertEqual(document.sizes, PRODUCTS[4]["sizes"])
        some = index.get_document("5", {"fields": ["title", "price"]})
        self.assertEqual(dict(some), {"title": "Cast iron teapot", "price": 49.0})
        self.refused(404, "document_not_found", index.get_document, 999)

    def test_additions_replace_and_updates_keep(self):
        index = self.index_for("py-changed")
        self.done(index.add_documents([{"id": 1, "title": "Only"}]))
        self.assertEqual(dict(index.get_document(1)), {"id": 1, "title": "Only"})
        self.done(index.update_documents([{"id": 2, "price": 1}]))
        self.assertEqual(dict(index.get_document(2)), {**PRODUCTS[1], "price": 1})

    def test_documents_in_batches(self):
        index = self.index_for("py-batches", documents=[])
        for enqueued in index.add_documents_in_batches(PRODUCTS, 10):
            self.done(enqueued)
        for enqueued in index.update_documents_in_batches([{"id": 1, "a": 1}, {"id": 2, "a": 1}], 1):
            self.done(enqueued)
        self.assertEqual(index.get_documents().total, len(PRODUCTS))

    def test_json_ndjson_and_csv(self):
        index = self.index_for("py-formats", documents=[])
        task = self.done(index.add_documents_json(dumps(PRODUCTS[:2]).encode(), "id"))
        self.assertEqual(task.details["receivedDocuments"], 2)
        lines = "\n".join(dumps(product) for product in PRODUCTS[2:4]).encode()
        self.done(index.add_documents_ndjson(lines, "id"))
        self.done(index.add_documents_csv(b'id,title,price:number\n50,"A, b",1.5\n', "id"))
        self.done(index.add_documents_raw(b"id;title\n51;c\n", "id", "text/csv", ";"))
        self.assertEqual(index.get_documents().total, 6)
        self.assertEqual(index.get_document("50").title, "A, b")
        self.assertEqual(index.get_document("50").price, 1.5)
        self.done(index.update_documents_json(b'[{"id": 1, "x": 1}]'))
        self.done(index.update_documents_ndjson(b'{"id": 2, "x": 2}'))
        self.done(index.update_documents_csv(b"id,x:number\n50,3\n"))
        self.assertEqual(index.get_document(1).title, PRODUCTS[0]["title"])
        self.assertEqual([index.get_document(key).x for key in (1, 2, "50")], [1, 2, 3])

    def test_an_encoder_of_ones_own(self):
        class Encoder(JSONEncoder):
            def default(self, o):
                return str(o)

        index = self.index_for("py-encoder", documents=[])
        self.done(index.add_documents([{"id": 1, "price": 2 + 1j}], serializer=Encoder))
        self.assertEqual(index.get_document(1).price, "(2+1j)")

    def test_documents_can_be_kept_from_being_made(self):
        index = self.index_for("py-no-creation")
        self.done(index.update_documents([{"id": 1, "a": 1}, {"id": 100}], skip_creation=True))
        self.refused(404, "document_not_found", index.get_document, 100)

    def test_a_task_carries_the_note_it_was_given(self):
        index = self.index_for("py-noted")
        task = self.done(index.add_documents([{"id": 1}], metadata="nightly"))
        self.assertEqual(task.custom_metadata, "nightly")

    def test_documents_are_listed(self):
        index = self.index_for("py-listed", SEARCH_SETTINGS)
        page = index.get_documents({"limit": 2, "offset": 1, "fields": ["id"]})
        self.assertEqual([dict(document) for document in page.results], [{"id": 2}, {"id": 3}])
        self.assertEqual((page.total, page.limit, page.offset), (len(PRODUCTS), 2, 1))
        kaito = index.get_documents({"filter": "brand = Kaito"})
        self.assertEqual(sorted(document.id for document in kaito.results),
                         ids_where(lambda product: product["brand"] == "Kaito"))
        dearest = index.get_documents({"sort": "price:desc, rating:asc", "limit": 2})
        self.assertEqual([document.id for document in dearest.results], [15, 24])

    def test_documents_are_deleted(self):
        index = self.index_for("py-emptied", SEARCH_SETTINGS)
        self.done(index.delete_document(1))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            task = self.done(index.delete_documents([2, "3"]))
        self.assertEqual(task.details["deletedDocuments"], 2)
        self.done(index.delete_documents(filter=["brand = Kaito", ["price < 20", "price > 45"]]))
        self.assertEqual(index.get_documents().total, len(PRODUCTS) - 5)
        self.done(index.delete_all_documents())
        self.assertEqual(index.get_documents().total, 0)
