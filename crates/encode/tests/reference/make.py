"""Writes the fixtures of the parity tests: texts of our own with their vectors.

    python make.py minilm FOLDER        > minilm.jsonl
    python make.py e5 e5-small-q4.bin   > e5.jsonl
    python make.py minilm FOLDER --check REFERENCE.jsonl
    python make.py e5 e5-small-q4.bin --check-half REFERENCE.jsonl

The forward pass is plain numpy in f32, one text at a time, and shares nothing with the
crate. `--check` compares it with vectors made elsewhere (fields prefix, text, tokens,
embedding) and prints the worst difference; `--check-half` rounds all weights to 16 bits
before, for vectors that were made so. Needs numpy and tokenizers.
"""

import json
import math
import struct
import sys

import numpy as np
import tokenizers
from tokenizers import models, normalizers, pre_tokenizers

LONG = (
    "Wireless noise cancelling headphones with a soft case, a charging cable and a plug "
    "for planes; thirty hours of music on one charge and three more after ten minutes. "
)
TEXTS = [
    "Stainless steel water bottle, 750 ml, keeps drinks cold for a day",
    "Adidas Runfalcon 3 running shoes, black/white, size 9.5",
    "USB-C to HDMI adapter 4K@60Hz (aluminium)",
    "Organic green tea, 100 bags",
    "Kids' bicycle helmet - adjustable, 48-52 cm",
    '27" curved gaming monitor 165 Hz',
    "HP 304XL ink cartridge N9K07AE, tri-colour",
    "Merino wool socks 3-pack",
    LONG * 12,
    "手机壳 适用于苹果 透明防摔",
    "纯棉四件套 床上用品 1.8米床",
    "蓝牙耳机",
    "運動鞋 男 透氣",
    "🎁",
    "birthday card 🎂🎉 with envelope",
    "headphones",
    "X",
    "?!... --- ///",
    "",
    "  two   spaces  ",
    "Crème brûlée set, façonné à la main",
    "ＦＵＬＬ　ＷＩＤＴＨ　１２３",
    "سماعات بلوتوث لاسلكية",
    "หูฟังไร้สาย 5.0",
]


class Network:
    """Tensors under short names, and the sizes of a BERT network."""

    def __init__(self, tensors, words, hidden, layers, heads, epsilon):
        self.tensors, self.words = tensors, words
        self.hidden, self.layers, self.heads = hidden, layers, heads
        self.epsilon = np.float32(epsilon)

    def round_to_half(self):
        def half(weights):
            return weights.astype(np.float16).astype(np.float32)

        words = self.words
        self.words = lambda token: half(words(token))
        self.tensors = {name: half(tensor) for name, tensor in self.tensors.items()}

    def linear(self, name, x):
        return x @ self.tensors[name + ".w"].T + self.tensors[name + ".b"]

    def norm(self, name, x):
        mean = x.mean(-1, keepdims=True)
        variance = ((x - mean) ** 2).mean(-1, keepdims=True)
        scaled = (x - mean) / np.sqrt(variance + self.epsilon)
        return scaled * self.tensors[name + ".w"] + self.tensors[name + ".b"]

    def vector(self, ids):
        count = len(ids)
        x = np.stack([self.words(token) for token in ids])
        x = x + self.tensors["emb.pos"][:count] + self.tensors["emb.type"][0]
        x = self.norm("emb.ln", x)
        for layer in range(self.layers):
            name = f"l{layer}."
            q, k, v = (
                self.linear(name + part, x).reshape(count, self.heads, -1).transpose(1, 0, 2)
                for part in "qkv"
            )
            scores = q @ k.transpose(0, 2, 1) / np.float32(math.sqrt(self.hidden // self.heads))
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            scores /= scores.sum(-1, keepdims=True)
            context = (scores @ v).transpose(1, 0, 2).reshape(count, self.hidden)
            x = self.norm(name + "aln", x + self.linear(name + "ao", context))
            inner = gelu(self.linear(name + "fi", x))
            x = self.norm(name + "oln", x + self.linear(name + "fo", inner))
        mean = x.mean(0)
        return mean / np.linalg.norm(mean)


ERF = np.vectorize(math.erf, otypes=[np.float64])


def gelu(x):
    return (x * 0.5 * (1.0 + ERF(x / math.sqrt(2.0)))).astype(np.float32)


def open_minilm(folder):
    with open(folder + "/config.json") as file:
        config = json.load(file)
    with open(folder + "/model.safetensors", "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()

    def tensor(name):
        entry = header[name]
        start, end = entry["data_offsets"]
        return np.frombuffer(data[start:end], "<f4").reshape(entry["shape"])

    tensors = {
        "emb.pos": tensor("embeddings.position_embeddings.weight"),
        "emb.type": tensor("embeddings.token_type_embeddings.weight"),
    }
    pairs = [("emb.ln", "embeddings.LayerNorm")]
    for layer in range(config["num_hidden_layers"]):
        pairs += [
            (f"l{layer}.{short}", f"encoder.layer.{layer}.{name}")
            for short, name in [
                ("q", "attention.self.query"),
                ("k", "attention.self.key"),
                ("v", "attention.self.value"),
                ("ao", "attention.output.dense"),
                ("aln", "attention.output.LayerNorm"),
                ("fi", "intermediate.dense"),
                ("fo", "output.dense"),
                ("oln", "output.LayerNorm"),
            ]
        ]
    for short, name in pairs:
        tensors[short + ".w"] = tensor(name + ".weight")
        tensors[short + ".b"] = tensor(name + ".bias")
    words = tensor("embeddings.word_embeddings.weight")
    network = Network(
        tensors,
        lambda token: words[token],
        config["hidden_size"],
        config["num_hidden_layers"],
        config["num_attention_heads"],
        config["layer_norm_eps"],
    )
    tokenizer = tokenizers.Tokenizer.from_file(folder + "/tokenizer.json")
    tokenizer.no_padding()
    tokenizer.no_truncation()

    def ids(text):
        return [101] + tokenizer.encode(text, add_special_tokens=False).ids[:254] + [102]

    return network, ids


def open_e5(path):
    with open(path, "rb") as file:
        data = file.read()
    hidden, layers, heads, _, _, _, _ = struct.unpack_from("<7i", data, 8)
    epsilon, _, count, start, end, _, unknown = struct.unpack_from("<f6i", data, 36)
    (length,) = struct.unpack_from("<Q", data, 64)
    at = 72
    offsets = np.frombuffer(data, "<u4", count + 1, at)
    at += 4 * (count + 1)
    scores = np.frombuffer(data, "<f4", count, at)
    at += 4 * count
    text = data[at : at + length]
    at += length
    at += 8 + struct.unpack_from("<iI", data, at)[1]
    (entries,) = struct.unpack_from("<i", data, at)
    at += 4
    raw = {}
    for _ in range(entries):
        (size,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + size].decode()
        kind, _, offset, size_bytes = struct.unpack_from("<BIQQ", data, at + 2 + size)
        raw[name] = (kind, data[offset : offset + size_bytes])
        at += 23 + size

    def decode(kind, content):
        if kind == 0:
            return np.frombuffer(content, "<f4")
        blocks = np.frombuffer(content, np.dtype([("scale", "<f2"), ("pairs", "u1", 16)]))
        low = (blocks["pairs"] & 15).astype(np.float32) - 8
        high = (blocks["pairs"] >> 4).astype(np.float32) - 8
        both = np.concatenate([low, high], 1)
        return (both * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)

    def words(token):
        row = hidden // 32 * 18
        return decode(1, raw["emb.word"][1][token * row : (token + 1) * row])

    tensors = {}
    for name, (kind, content) in raw.items():
        if name == "emb.word":
            continue
        flat = decode(kind, content)
        if name in ("emb.pos", "emb.type"):
            flat = flat.reshape(-1, hidden)
        elif kind == 1:
            inputs = hidden if not name.endswith("fo.w") else flat.size // hidden
            flat = flat.reshape(-1, inputs)
        tensors[name] = flat

    pieces = [text[offsets[i] : offsets[i + 1]].decode() for i in range(count)]
    # No text holds this, so the piece of the unknown is never matched by name.
    pieces[unknown] = "\0"
    vocabulary = [(piece, float(score)) for piece, score in zip(pieces, scores)]
    tokenizer = tokenizers.Tokenizer(models.Unigram(vocabulary, unknown, False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Nmt(),
            normalizers.NFKC(),
            normalizers.Replace(tokenizers.Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("\u2581", prepend_scheme="always")
    network = Network(tensors, words, hidden, layers, heads, epsilon)

    def ids(text):
        return [start] + tokenizer.encode(text, add_special_tokens=False).ids[:510] + [end]

    return network, ids


def main():
    model, path = sys.argv[1:3]
    network, ids = {"minilm": open_minilm, "e5": open_e5}[model](path)
    if len(sys.argv) == 5:
        if sys.argv[3] == "--check-half":
            network.round_to_half()
        worst = 0.0
        with open(sys.argv[4]) as file:
            for line in file:
                row = json.loads(line)
                tokens = ids(row["prefix"] + row["text"])
                assert len(tokens) == row["tokens"], row["text"]
                difference = network.vector(tokens) - np.array(row["embedding"])
                worst = max(worst, float(np.abs(difference).max()))
        print(f"worst difference {worst:.2e}")
        return
    for number, text in enumerate(TEXTS):
        prefix = "" if model == "minilm" else ["query: ", "passage: "][number % 2]
        tokens = ids(prefix + text)
        vector = [round(float(x), 6) for x in network.vector(tokens)]
        row = {"prefix": prefix, "text": text, "tokens": len(tokens), "embedding": vector}
        print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
