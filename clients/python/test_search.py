"""Searches: filters, order, facets, what is shown, and several at once."""

from shop import PRODUCTS, SEARCH_SETTINGS, ShopTest, client, ids, ids_where


class Searches(ShopTest):
    @classmethod
    def setUpClass(cls):
        index = client().index("py-searched")
        index.update_settings(dict(SEARCH_SETTINGS))
        added = index.add_documents(PRODUCTS, "id")
        client().wait_for_task(added.task_uid, 30_000, 20)

    @classmethod
    def tearDownClass(cls):
        client().delete_index("py-searched")

    def setUp(self):
        super().setUp()
        self.index = self.client.index("py-searched")

    def test_words(self):
        result = self.index.search("beeswax")
        self.assertEqual(result["hits"], [PRODUCTS[20]])
        self.assertEqual((result["query"], result["limit"], result["offset"], result["estimatedTotalHits"]),
                         ("beeswax", 20, 0, 1))

    def test_filters(self):
        cases = [
            ("brand = Kaito", lambda p: p["brand"] == "Kaito"),
            (["brand = Kaito", "price > 20"], lambda p: p["brand"] == "Kaito" and p["price"] > 20),
            ([["brand = Kaito", "brand = Foliant"]], lambda p: p["brand"] in ("Kaito", "Foliant")),
            ("price 10 TO 20", lambda p: 10 <= p["price"] <= 20),
            ("stock IS NULL", lambda p: p.get("stock", 0) is None),
            ("stock EXISTS", lambda p: "stock" in p),
            ("NOT tags IN [gift, kitchen]", lambda p: not {"gift", "kitchen"} & set(p["tags"])),
            ("_geoRadius(52.52, 13.405, 5000)", lambda p: p.get("_geo", {}).get("lat") == 52.52),
            ("sizes.volume > 1", lambda p: p.get("sizes", {}).get("volume", 0) > 1),
        ]
        for text, predicate in cases:
            with self.subTest(text):
                found = self.index.search("", {"filter": text, "limit": 100})["hits"]
                self.assertEqual(sorted(ids(found)), ids_where(predicate))

    def test_order_and_pages(self):
        dearest = self.index.search("", {"sort": ["price:desc"], "limit": 3})
        self.assertEqual(ids(dearest["hits"]), [15, 24, 13])
        page = self.index.search("", {"page": 2, "hitsPerPage": 10})
        self.assertEqual((page["totalHits"], page["totalPages"], page["page"]), (24, 3, 2))
        self.assertNotIn("estimatedTotalHits", page)

    def test_facets(self):
        result = self.index.search("", {"facets": ["brand", "price"]})
        self.assertEqual(result["facetDistribution"]["brand"]["Kaito"], 3)
        self.assertEqual(result["facetStats"]["price"], {"min": 6.5, "max": 219})
        values = self.index.facet_search("brand", "lum")
        self.assertEqual(values["facetHits"], [{"value": "Lumen & Co", "count": 4}])
        every = self.index.facet_search("brand", opt_params={"filter": "price > 100"})
        self.assertEqual([hit["value"] for hit in every["facetHits"]], ["Bramble", "Lumen & Co"])

    def test_what_is_shown(self):
        result = self.index.search("honey", {
            "attributesToRetrieve": ["title"], "attributesToHighlight": ["description"],
            "attributesToCrop": ["description"], "cropLength": 3, "cropMarker": "…",
            "highlightPreTag": "[", "highlightPostTag": "]", "showMatchesPosition": True,
            "showRankingScore": True, "showRankingScoreDetails": True,
        })
        hit = result["hits"][0]
        self.assertEqual(hit["title"], "Beeswax candle")
        self.assertNotIn("price", hit)
        self.assertEqual(hit["_formatted"]["description"], "…smells of [honey].")
        self.assertEqual(hit["_matchesPosition"]["description"][0]["length"], 5)
        self.assertTrue(0 < hit["_rankingScore"] <= 1)
        self.assertIsInstance(hit["_rankingScoreDetails"], dict)

    def test_how_is_searched(self):
        search = lambda text, **options: ids(self.index.search(text, options)["hits"])
        self.assertEqual(search("storm teapot", matchingStrategy="all"), [])
        self.assertEqual(search("honey", attributesToSearchOn=["title"]), [])
        self.assertEqual(len(search("enamel", distinct="family")), 1)
        self.assertEqual(search("lamp", rankingScoreThreshold=1.0, limit=1)[1:], [])

    def test_several_at_once(self):
        queries = [{"indexUid": "py-searched", "q": "kettle"}, {"indexUid": "py-searched", "q": "honey"}]
        results = self.client.multi_search(queries)["results"]
        self.assertEqual([sorted(ids(result["hits"])) for result in results], [[7, 8], [21]])
        joined = self.client.multi_search(queries, {"limit": 2})
        self.assertEqual(len(joined["hits"]), 2)
        self.assertEqual(joined["hits"][0]["_federation"]["indexUid"], "py-searched")

    def test_wrong_requests_are_refused(self):
        search = self.index.search
        self.refused(400, "invalid_search_filter", search, "", {"filter": "nonsense = 1"})
        self.refused(400, "invalid_search_sort", search, "", {"sort": ["nonsense:asc"]})
        self.refused(400, "invalid_search_limit", search, "", {"limit": -1})
        self.refused(404, "index_not_found", self.client.index("nowhere").search, "")
