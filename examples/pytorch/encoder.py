"""A BERT of a Hugging Face folder in PyTorch, as Vitrine's encoder reads it: the mean of the
last hidden state over the tokens of a text, made of length one."""

import json
import pathlib

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch.nn import functional as F


def most_tokens(folder, config):
    """How long a text may be: what the model was trained for, or else what it has room for."""
    path = folder / "sentence_bert_config.json"
    told = json.loads(path.read_text()).get("max_seq_length") if path.exists() else None
    return min(told or config["max_position_embeddings"], config["max_position_embeddings"])


class Encoder:
    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.config = json.loads((folder / "config.json").read_text())
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(most_tokens(folder, self.config))
        weights = load_file(folder / "model.safetensors")
        self.weights = {name.removeprefix("bert."): value for name, value in weights.items()}

    def linear(self, name, x):
        return F.linear(x, self.weights[name + ".weight"], self.weights[name + ".bias"])

    def norm(self, name, x):
        weight, bias = self.weights[name + ".weight"], self.weights[name + ".bias"]
        return F.layer_norm(x, weight.shape, weight, bias, self.config["layer_norm_eps"])

    @torch.no_grad()
    def encode(self, text):
        ids = torch.tensor(self.tokenizer.encode(text).ids)
        names = ["word_embeddings", "position_embeddings", "token_type_embeddings"]
        word, position, kind = (self.weights[f"embeddings.{name}.weight"] for name in names)
        x = self.norm("embeddings.LayerNorm", word[ids] + position[: len(ids)] + kind[0])
        heads = self.config["num_attention_heads"]
        for number in range(self.config["num_hidden_layers"]):
            layer = f"encoder.layer.{number}"
            query, key, value = (
                self.linear(f"{layer}.attention.self.{part}", x)
                .view(len(ids), heads, -1)
                .transpose(0, 1)
                for part in ["query", "key", "value"]
            )
            seen = F.scaled_dot_product_attention(query, key, value)
            seen = self.linear(f"{layer}.attention.output.dense", seen.transpose(0, 1).flatten(1))
            x = self.norm(f"{layer}.attention.output.LayerNorm", x + seen)
            wide = F.gelu(self.linear(f"{layer}.intermediate.dense", x))
            wide = self.linear(f"{layer}.output.dense", wide)
            x = self.norm(f"{layer}.output.LayerNorm", x + wide)
        return F.normalize(x.mean(0), dim=0)
