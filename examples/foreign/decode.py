"""Payloads to text: FlatBuffers through the classes that `flatc --python --gen-object-api` made, plain structs by their
layout. What follows from the text is the digest that examples/foreign/digest.hpp computes too."""
import importlib
import struct

import flatbuffers.encode
import flatbuffers.number_types


def canonical(value):
    """One value as bytes: numbers decimal, bool 0 or 1, floats the bits of the double, texts and lists with their size."""
    if value is None:
        return b"0:;"  # an empty text or list, which FlatBuffers leaves out
    if isinstance(value, bool):
        return b"1;" if value else b"0;"
    if isinstance(value, int):
        return b"%d;" % value
    if isinstance(value, float):
        return struct.pack(">d", value).hex().encode() + b";"
    if isinstance(value, (bytes, str)):
        encoded = value.encode() if isinstance(value, str) else value
        return b"%d:%b;" % (len(encoded), encoded)
    if hasattr(value, "__len__") and len(value) == 0:
        return b"0:;"
    if hasattr(value, "__len__"):
        return b"[%d;%b];" % (len(value), b"".join(canonical(plain(each)) for each in value))
    return b"{%b};" % b"".join(canonical(each) for each in vars(value).values())


def plain(value):
    """numpy's numbers as Python's."""
    return value.item() if hasattr(value, "item") else value


class TableDecoder:
    """A FlatBuffers table by the object API of its generated class."""

    def __init__(self, type_name):
        module = importlib.import_module(type_name)
        self.native = getattr(module, type_name.rsplit(".", 1)[-1] + "T")

    def text_of(self, payload):
        root = flatbuffers.encode.Get(flatbuffers.number_types.UOffsetTFlags.packer_type, payload, 0)
        decoded = self.native.InitFromBuf(payload, root)
        return b"".join(canonical(each) for each in vars(decoded).values())


class StructDecoder:
    """A plain struct by its layout in the words of Python's struct module; texts end at their first NUL."""

    def __init__(self, layout):
        self.layout = struct.Struct("<" + layout)

    def text_of(self, payload):
        values = self.layout.unpack(payload)
        return b"".join(canonical(each.split(b"\0")[0] if isinstance(each, bytes) else each) for each in values)


class Decoders:
    """Finds the decoder of a type by its name, once."""

    def __init__(self, layouts):
        self.made = {name: StructDecoder(layout) for name, layout in layouts.items()}

    def text_of(self, type_name, payload):
        if type_name not in self.made:
            self.made[type_name] = TableDecoder(type_name)
        return self.made[type_name].text_of(payload)
