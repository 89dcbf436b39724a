"""The affinity Transformer in PyTorch: reads the folder of a trained model and writes one.

docs/affinity.md has the maths. Everything here is that page in the words of PyTorch, so that
a model can be looked at, changed or trained outside of Vitrine and come back.
"""

import json
import pathlib

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

ASK, PROFILE, CANDIDATE = range(3)
DISLIKE = 5


class Block(nn.Module):
    """One layer, with its norms in front."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.attention = nn.ModuleDict(
            {
                "norm": nn.LayerNorm(width),
                "in": nn.Linear(width, 3 * width),
                "out": nn.Linear(width, width),
            }
        )
        self.feed_forward = nn.ModuleDict(
            {
                "norm": nn.LayerNorm(width),
                "in": nn.Linear(width, 4 * width),
                "out": nn.Linear(4 * width, width),
            }
        )

    def forward(self, x, mask):
        tokens, width = x.shape
        parts = self.attention["in"](self.attention["norm"](x)).view(
            tokens, 3, self.heads, width // self.heads
        )
        query, key, value = parts.permute(1, 2, 0, 3)
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        x = x + self.attention["out"](seen.transpose(0, 1).reshape(tokens, width))
        wide = F.relu(self.feed_forward["in"](self.feed_forward["norm"](x)))
        return x + self.feed_forward["out"](wide)


class Affinity(nn.Module):
    """P(view), P(cart), P(purchase) of candidates, given what a shopper did."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        width, text = config["width"], config["text_dimensions"]
        table = lambda rows: nn.Parameter(torch.randn(rows, width) * 0.1)
        item = {"id": table(config["items"])}
        if text:
            item["text.weight"] = nn.Parameter(torch.randn(width, text) * 0.1)
            self.query = nn.Linear(text, width, bias=False)
            self.shopper = nn.Linear(text, width, bias=False)
        for field in config["fields"]:
            item["field." + field["name"]] = table(field["values"])
        # A parameter's name may have no dot, so tables are kept under names without.
        self.item = nn.ParameterDict({name.replace(".", "/"): value for name, value in item.items()})
        self.event = nn.ParameterDict(
            {
                "kind": table(config["kinds"]),
                "gap": table(config["gaps"]),
                "quantity": table(config["quantities"]),
                "position": table(config["max_history"]),
            }
        )
        self.marks = table(3)
        self.layers = nn.ModuleList(
            Block(width, config["heads"]) for _ in range(config["layers"])
        )
        self.norm = nn.LayerNorm(width)
        self.actions = nn.Linear(width, len(config["actions"]))
        if config.get("likeness"):
            self.likeness = nn.Linear(text, config["likeness"]["dimensions"])

    def items(self, items):
        """The vectors of items, `[items, width]`. An item is a dict with `text` (or None),
        `id` (its row, or None) and `fields` (a value for each)."""
        vectors = []
        for item in items:
            vector = torch.zeros(self.config["width"])
            if item.get("text") is not None:
                vector = vector + self.item["text/weight"] @ torch.tensor(item["text"])
            if item.get("id") is not None:
                vector = vector + self.item["id"][item["id"]]
            for field, value in zip(self.config["fields"], item["fields"]):
                vector = vector + self.item["field/" + field["name"]][value]
            vectors.append(vector)
        return torch.stack(vectors)

    def likes(self, items):
        """The likeness vectors of items, `[items, c]`; zeros where there is no text."""
        zeros = torch.zeros(self.config["likeness"]["dimensions"])
        return torch.stack(
            [
                zeros
                if item.get("text") is None
                else F.normalize(self.likeness(torch.tensor(item["text"])), dim=0)
                for item in items
            ]
        )

    def likeness_logits(self, likes, events):
        """What likeness of texts adds to the logits of every item being next, `[items]`.
        `likes` are likeness vectors, events as in `forward`."""
        settings = self.config["likeness"]
        memory = torch.zeros(settings["dimensions"])
        for event in events[-self.config["max_history"] :]:
            if event["kind"] != DISLIKE:
                memory = settings["fading"] * memory + likes[event["item"]]
        return likes @ F.normalize(memory, dim=0) * settings["strength"]

    def forward(self, items, events, candidates, shopper=None, query=None):
        """Calibrated probabilities `[candidates, actions]` and the logits of every item being
        next, `[items]`, without likeness. `items` are vectors; an event is a dict with `item` (a place among
        them), `kind`, `gap` and `quantity`; candidates are places."""
        events = events[-self.config["max_history"] :]
        tokens = []
        if shopper is not None:
            tokens.append(self.shopper(torch.tensor(shopper)) + self.marks[PROFILE])
        for back, event in zip(range(len(events) - 1, -1, -1), events):
            tokens.append(
                items[event["item"]]
                + self.event["kind"][event["kind"]]
                + self.event["gap"][event["gap"]]
                + self.event["quantity"][event["quantity"]]
                + self.event["position"][back]
            )
        newest = len(tokens) - 1
        asked = [items[candidate] + self.marks[CANDIDATE] for candidate in candidates]
        has_query = query is not None and self.config.get("queries", False)
        if has_query:
            tokens.append(self.query(torch.tensor(query)) + self.marks[ASK])
            asked = [token * (1 + tokens[-1]) for token in asked]
        context = len(tokens)
        # Everybody sees the context up to itself; a candidate sees all of it and itself.
        count = context + len(asked)
        mask = torch.tril(torch.ones(count, count, dtype=torch.bool))
        mask[context:, context:] = torch.eye(len(asked), dtype=torch.bool)
        joined = len(self.layers) - self.config["candidate_layers"]
        x = torch.stack(tokens + asked)
        for layer in self.layers[:joined] if context else []:
            seen = layer(x[:context], mask[:context, :context])
            x = torch.cat([seen, x[context:]])
        for layer in self.layers[joined:]:
            x = layer(x, mask)
        calibration = self.config["query_calibration" if has_query else "calibration"]
        scale = torch.tensor([action["scale"] for action in calibration])
        offset = torch.tensor([action["offset"] for action in calibration])
        probabilities = torch.sigmoid(scale * self.actions(x[context:]) + offset)
        return probabilities, items @ self.norm(x[newest])

    def tensors(self):
        """The weights under the names that the files have."""
        return {
            name.replace("/", "."): value.contiguous()
            for name, value in self.state_dict().items()
        }


def read(folder):
    """The model in a folder."""
    folder = pathlib.Path(folder)
    model = Affinity(json.loads((folder / "config.json").read_text()))
    stored = load_file(folder / "model.safetensors")
    names = {name: name.replace("/", ".") for name in model.state_dict()}
    model.load_state_dict({ours: stored[theirs] for ours, theirs in names.items()})
    return model.eval()


def write(model, folder, ids):
    """Writes what Vitrine needs to load the model; the settings last, as they make it whole."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(model.tensors(), folder / "model.safetensors")
    (folder / "items.json").write_text(json.dumps(ids))
    (folder / "config.json").write_text(json.dumps(model.config, indent=2))
