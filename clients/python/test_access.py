"""Keys, tenant tokens, tasks, batches, swaps, copies, features and webhooks."""

from datetime import datetime, timedelta, timezone

from shop import SEARCH_SETTINGS, ShopTest, client, ids, ids_where


class Access(ShopTest):
    def key_for(self, **options):
        key = self.client.create_key({"expiresAt": None, "description": None, **options})
        self.addCleanup(self.client.delete_key, key.uid)
        return key

    def test_keys(self):
        until = datetime.now(timezone.utc) + timedelta(hours=1)
        key = self.client.create_key({
            "name": "window", "description": "for the window", "actions": ["search"],
            "indexes": ["py*"], "expiresAt": until.isoformat(),
        })
        self.assertEqual((key.actions, key.indexes), (["search"], ["py*"]))
        self.assertLess(abs(key.expires_at.replace(tzinfo=timezone.utc) - until), timedelta(seconds=1))
        self.assertEqual(self.client.get_key(key.uid), key)
        self.assertEqual(self.client.get_key(key.key), key)
        listed = self.client.get_keys({"limit": 1000})
        self.assertIn(key.uid, [other.uid for other in listed.results])
        changed = self.client.update_key(key.key, {"name": "door"})
        self.assertEqual((changed.name, changed.description), ("door", "for the window"))
        self.assertEqual(self.client.delete_key(key.uid), 204)
        self.refused(404, "api_key_not_found", self.client.get_key, key.uid)
        self.refused(400, "invalid_api_key_actions", self.key_for, actions=["x"], indexes=["*"])

    def test_a_key_may_end_on_a_whole_second(self):
        until = datetime(2099, 1, 1, tzinfo=timezone.utc)
        key = self.key_for(actions=["search"], indexes=["*"], expiresAt=until.isoformat())
        self.assertEqual(key.expires_at.replace(tzinfo=timezone.utc), until)

    def test_a_key_may_do_what_it_is_for(self):
        self.index_for("py-limited")
        key = self.key_for(actions=["search"], indexes=["py-limited"])
        limited = client(key.key).index("py-limited")
        self.assertEqual(len(limited.search("kettle")["hits"]), 2)
        self.refused(403, "invalid_api_key", limited.get_documents)
        self.refused(403, "invalid_api_key", client("wrong").get_all_stats)

    def test_tenant_tokens(self):
        self.index_for("py-tenants", SEARCH_SETTINGS)
        key = self.key_for(actions=["search"], indexes=["py-tenants"])
        rules = {"py-tenants": {"filter": "warehouse = north"}}
        soon = datetime.now(timezone.utc) + timedelta(minutes=5)
        token = self.client.generate_tenant_token(key.uid, rules, api_key=key.key, expires_at=soon)
        found = client(token).index("py-tenants").search("", {"limit": 100})["hits"]
        self.assertEqual(sorted(ids(found)), ids_where(lambda p: p["warehouse"] == "north"))
        lasting = client(key.key).generate_tenant_token(key.uid, ["*"])
        self.assertEqual(len(client(lasting).index("py-tenants").search("")["hits"]), 20)
        foreign = self.client.generate_tenant_token(key.uid, ["*"], api_key="0" * 64)
        self.refused(403, "invalid_api_key", client(foreign).index("py-tenants").search, "")

    def test_tasks_and_batches(self):
        index = self.index_for("py-tasks")
        task = self.done(index.add_documents([{"id": 1}]))
        self.assertEqual(task.type, "documentAdditionOrUpdate")
        self.assertIsInstance(task.finished_at, datetime)
        self.assertEqual(index.get_task(task.uid), task)
        listed = index.get_tasks({"statuses": ["succeeded"], "types": ["documentAdditionOrUpdate"]})
        self.assertEqual(listed.results[0], task)
        every = self.client.get_tasks({"indexUids": ["py-tasks"], "limit": 1})
        self.assertEqual((len(every.results), every.limit, every.from_), (1, 1, task.uid))
        batches = self.client.get_batches({"indexUids": ["py-tasks"], "limit": 1})
        batch = self.client.get_batch(batches.results[0].uid)
        self.assertEqual(batch.uid, batches.from_)
        self.assertGreaterEqual(batch.stats["totalNbTasks"], 1)
        self.assertIsInstance(batch.finished_at, datetime)

    def test_tasks_are_canceled_and_deleted(self):
        self.index_for("py-finished")
        canceling = self.done(self.client.cancel_tasks({"indexUids": ["py-finished"]}))
        self.assertEqual((canceling.type, canceling.details["canceledTasks"]), ("taskCancelation", 0))
        deleting = self.done(self.client.delete_tasks({"indexUids": ["py-finished"]}))
        self.assertEqual(deleting.type, "taskDeletion")
        self.assertGreaterEqual(deleting.details["deletedTasks"], 2)
        self.assertEqual(self.client.get_tasks({"indexUids": "py-finished"}).total, 0)
        self.refused(400, "missing_task_filters", self.client.cancel_tasks, {})

    def test_swaps(self):
        self.index_for("py-a", documents=[{"id": 1}])
        self.index_for("py-b", documents=[{"id": 2}])
        self.done(self.client.swap_indexes([{"indexes": ["py-a", "py-b"]}]))
        self.assertEqual(self.client.index("py-a").get_document(2).id, 2)

    def test_dumps_and_snapshots(self):
        dump = self.done(self.client.create_dump())
        self.assertEqual(dump.type, "dumpCreation")
        self.assertTrue(dump.details["dumpUid"])
        self.assertEqual(self.done(self.client.create_snapshot()).type, "snapshotCreation")

    def test_experimental_features(self):
        before = self.client.get_experimental_features()
        after = self.client.update_experimental_features({"containsFilter": True})
        self.assertEqual(after, {**before, "containsFilter": True})

    def test_webhooks(self):
        webhook = self.client.create_webhook({"url": "http://127.0.0.1:9/hook", "headers": {"X-A": "b"}})
        self.assertTrue(webhook.isEditable)
        self.assertEqual(self.client.get_webhook(webhook.uuid).url, webhook.url)
        self.assertIn(webhook.uuid, [one.uuid for one in self.client.get_webhooks().results])
        changed = self.client.update_webhook(webhook.uuid, {"url": "http://127.0.0.1:9/b"})
        self.assertEqual(changed.url, "http://127.0.0.1:9/b")
        self.assertEqual(self.client.delete_webhook(webhook.uuid), 204)
        self.refused(404, "webhook_not_found", self.client.get_webhook, webhook.uuid)
