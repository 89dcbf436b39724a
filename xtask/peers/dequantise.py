#!/usr/bin/env python3
"""Turns a dynamically quantised ONNX model into the f32 model that computes the same.

Each DynamicQuantizeLinear, MatMulInteger, Cast and Mul of the quantised graph becomes one
MatMul over the weights in f32; other quantised constants become f32 constants. So ONNX
Runtime can be measured in f32 as well. Rounding of the weights stays as it is, so this says
something about speed and nothing about precision.

  dequantise.py INT8.onnx F32.onnx
"""
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper


def dequantise(model):
    graph = model.graph
    constants = {constant.name: constant for constant in graph.initializer}
    producers = {name: node for node in graph.node for name in node.output}
    users = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)

    def value(name):
        return numpy_helper.to_array(constants[name])

    removed, made, added = set(), {}, []

    def constant(name, array):
        if name not in made:
            made[name] = numpy_helper.from_array(np.ascontiguousarray(array, dtype=np.float32), name)
        return name

    def only_user(node, kind):
        found = users.get(node.output[0], [])
        if len(found) != 1 or found[0].op_type != kind:
            raise SystemExit(f"{node.name}: expected one {kind} behind it")
        return found[0]

    for node in list(graph.node):
        if node.op_type == "MatMulInteger":
            quantiser = producers[node.input[0]]
            if quantiser.op_type != "DynamicQuantizeLinear":
                raise SystemExit(f"{node.name}: its input is not quantised dynamically")
            zero = value(node.input[3]) if len(node.input) > 3 and node.input[3] else 0
            weights = value(node.input[1]).astype(np.float32) - np.float32(zero)
            cast = only_user(node, "Cast")
            scaled = only_user(cast, "Mul")
            # The other factor is the product of the scales of the input and of the weights.
            other = next(name for name in scaled.input if name != cast.output[0])
            product = producers[other]
            scale = next(value(name) for name in product.input if name in constants)
            name = constant(node.input[1] + "_f32", weights * scale)
            matmul = helper.make_node("MatMul", [quantiser.input[0], name], list(scaled.output), name=node.name)
            added.append((scaled, matmul))
            removed.update(id(gone) for gone in (node, cast, product, scaled, quantiser))
        elif node.op_type == "DequantizeLinear" and node.input[0] in constants:
            scale = value(node.input[1])
            zero = value(node.input[2]) if len(node.input) > 2 else 0
            array = (value(node.input[0]).astype(np.float32) - np.float32(zero)) * scale
            constant(node.output[0], array)
            removed.add(id(node))

    replacement = {id(old): new for old, new in added}
    nodes = []
    for node in graph.node:
        if id(node) in replacement:
            nodes.append(replacement[id(node)])
        elif id(node) not in removed:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    kept = [constant for constant in graph.initializer if constant.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    graph.initializer.extend(made.values())
    if not made:
        raise SystemExit("the model has no quantised product")
    return model


if __name__ == "__main__":
    source, target = sys.argv[1:]
    model = dequantise(onnx.load(source))
    onnx.checker.check_model(model)
    onnx.save(model, target)
