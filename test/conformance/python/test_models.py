"""The lists of models, and paths and methods beside the SDK's."""

import json

from openai import NotFoundError

from harness import GENERAL, KEYS, ORIGIN, Suite, ask, cases, each


class Models(Suite):
    def test_the_list_shows_what_the_key_can_use_in_four_members(self):
        models = list(self.client().models.list())
        ids = {m.id for m in models}
        self.assertLessEqual({GENERAL, "conformance/granted", "conformance/private", "deepseek-v4-pro"}, ids)
        self.assertFalse(ids & {"conformance/preview", "conformance/soon", "conformance-alias"})
        for m in models:
            self.assertEqual(set(m.to_dict()), {"created", "id", "object", "owned_by"})
            self.assertEqual(m.object, "model")
            self.assertIsInstance(m.created, int)

    def test_the_list_of_a_narrower_key(self):
        ids = [m.id for m in self.client(key="narrow").models.list()]
        self.assertIn("deepseek-v4-pro", ids)
        self.assertTrue(all(i.startswith("deepseek-") for i in ids), ids)

    def test_the_list_with_detail_keeps_the_extra_members(self):
        models = self.client().models.list(extra_query={"detail": 1})
        m = next(x for x in models if x.id == GENERAL)
        self.assertEqual((m.label, m.org, m.owned_by, m.ctx), ("General", "Conformance", "Conformance", 4000000))
        self.assertEqual(m.tags, ["test", "tools"])
        self.assertEqual(m.pricing["currency"], "USD")
        self.assertIn("0.5", m.pricing.values(), "prices are decimal strings")

    def test_a_name_with_a_slash_and_a_colon(self):
        m = self.client().models.retrieve(GENERAL)
        self.assertEqual((m.id, m.object), (GENERAL, "model"))
        self.assertRegex(m._request_id, "^req_")

    @each((i, (i,)) for i in ("gpt-4", "conformance/preview", "conformance/soon"))
    def test_a_model_that_is_not_there(self, model):
        with self.assertRaises(NotFoundError) as caught:
            self.client().models.retrieve(model)
        self.assertEqual(caught.exception.code, "unknown_model")

    def test_the_catalog_shows_all_public_models_to_everybody(self):
        _, headers, body = ask("GET", f"{ORIGIN}/v1/catalog")
        by = {m["id"]: m["availability"] for m in json.loads(body)["data"]}
        self.assertEqual([by[GENERAL], by["conformance/preview"], by["conformance/soon"]], ["live", "preview", "soon"])
        self.assertNotIn("conformance/private", by)
        status, _, body = ask("GET", f"{ORIGIN}/v1/catalog", {"If-None-Match": headers["etag"]})
        self.assertEqual((status, body), (304, b""))

    @each((c["name"], (c,)) for c in cases("http"))
    def test_http(self, case):
        headers = dict(case.get("send", {}))
        if "authorization" in headers:
            headers["authorization"] = KEYS[headers["authorization"]]
        elif case.get("key", "main") is not None:
            headers["authorization"] = f"Bearer {KEYS[case.get('key', 'main')]}"
        status, got, body = ask(case["method"], ORIGIN + case["path"], headers, case.get("body"))
        self.assertEqual(status, case["status"])
        self.assertRegex(got["x-request-id"], "^req_")
        for name, value in case.get("headers", {}).items():
            self.assertEqual(got[name], value, name)
        if "type" in case:
            error = json.loads(body)["error"]
            self.assertEqual(set(error), {"code", "message", "param", "type"})
            self.assertEqual((error["type"], error["code"]), (case["type"], case["code"]))
